/* `bootstrap` of a native package: continues the process image when its guards hold, else starts the program.
 *
 * Linked at an address that nothing else uses, on a stack of its own, without a C library: whatever the
 * kernel put where the image belongs may be mapped over while this runs. */
#include "launcher.h"

#include "processor.h"
#include "report.h"
#include "restore.h"
#include "system.h"

#define IMAGE "/pyl/image"
#define APP "/pyl/app"
#define PROGRAM "/program"

__attribute__((used)) char launcher_stack[LAUNCHER_STACK_BYTES] __attribute__((aligned(64)));
_Static_assert(LAUNCHER_STACK_BYTES == 65536, "as the entry point, in assembly, has it");

ENTRY_POINT(launch, launcher_stack, 65536);

/* Concatenate strings, of which the last is followed by NULL, in new memory. */
static char *concatenate(char *const *environment, const char *const *parts)
{
    size_t room = 1;
    for (const char *const *part = parts; *part; part++)
        room += strlen(*part);
    char *path = map_zeroed(room), *end = path;
    if (!path)
        fail(environment, "Runtime.OutOfMemory", "the launcher has no memory for a path; raise the function's memory",
             NULL);
    for (; *parts; parts++) {
        size_t length = strlen(*parts);
        memcpy(end, *parts, length);
        end += length;
    }
    return path;
}

#define strconcat(start, ...) concatenate((start)->environment, (const char *const[]){__VA_ARGS__, NULL})

static int exists(const char *path) { return !is_error(system_call(__NR_faccessat, AT_FDCWD, path, 0)); }

static char *folder_of(const struct start *start, const char *path)
{
    size_t slash = strlen(path);
    while (slash && path[slash - 1] != '/')
        slash--;
    if (!slash)
        return strconcat(start, ".");
    char *folder = strconcat(start, path);
    folder[slash > 1 ? slash - 1 : 1] = 0;
    return folder;
}

static char *link_target(const struct start *start, const char *path)
{
    for (size_t room = PAGE_SIZE;; room *= 2) {
        char *target = map_zeroed(room);
        if (!target)
            return NULL;
        long length = system_call(__NR_readlinkat, AT_FDCWD, path, target, room);
        if (is_error(length))
            return NULL;
        if ((size_t)length < room)
            return folder_of(start, target);
        system_call(__NR_munmap, target, room);
    }
}

/* The package's folder: where the kernel was told to find this file, else (a symbolic link, a descriptor)
 * where the file really is. Works without /proc for the usual `/var/task/bootstrap`. */
static char *package_folder(const struct start *start, const char *executed)
{
    const char *names[] = {executed, start->argument_count > 0 ? start->arguments[0] : NULL};
    for (unsigned i = 0; i < 2; i++) {
        if (!names[i])
            continue;
        char *folder = folder_of(start, names[i]);
        if (exists(strconcat(start, folder, APP PROGRAM)) || exists(strconcat(start, folder, IMAGE)))
            return folder;
    }
    char *real = link_target(start, "/proc/self/exe");
    return real ? real : folder_of(start, executed ? executed : "");
}

static char *absolute(const struct start *start, char *folder)
{
    if (folder[0] == '/')
        return folder;
    for (size_t room = PAGE_SIZE;; room *= 2) {
        char *here = map_zeroed(room);
        if (!here)
            return folder;
        long length = system_call(__NR_getcwd, here, room);
        if (!is_error(length))
            return str_equal(folder, ".") ? here : strconcat(start, here, "/", folder);
        if (length != -ERANGE)
            return folder;
        system_call(__NR_munmap, here, room);
    }
}

/* Run the program as any other: by the package's own loader and libraries, so the target's do not matter. */
static _Noreturn void start_plainly(const struct start *start)
{
    char *app = strconcat(start, start->folder, APP);
    char *loader = strconcat(start, app, "/" LOADER), *program = strconcat(start, app, PROGRAM);
    const char *missing = !exists(program) ? program : !exists(loader) ? loader : NULL;
    if (missing)
        fail(start->environment, "Runtime.InvalidPackage",
             "this file of the package is missing; unpack the whole zip, `bootstrap` beside `pyl/`", missing);
    size_t count = (size_t)start->argument_count;
    char **arguments = map_zeroed((count + 6) * sizeof *arguments), **next = arguments;
    if (!arguments)
        fail(start->environment, "Runtime.OutOfMemory", "the launcher has no memory for the arguments", NULL);
    *next++ = loader;
    *next++ = "--library-path";
    *next++ = app;
    *next++ = program;
    for (size_t i = 1; i < count; i++)
        *next++ = start->arguments[i];
    long error = system_call(__NR_execve, loader, arguments, start->environment);
    fail(start->environment, "Runtime.CannotStart",
         error == -EACCES ? "the package's loader may not be executed; keep the zip's permissions, mount without noexec"
                          : LOADER_FAILED,
         loader);
}

__attribute__((used)) _Noreturn void launch(long *stack)
{
    static struct start start; /* outlives this function: a restored program reads it */
    start.argument_count = stack[0];
    start.arguments = (char **)(stack + 1);
    start.environment = start.arguments + start.argument_count + 1;
    char **end = start.environment;
    while (*end)
        end++;
    const char *executed = NULL;
    start.auxiliary = (const long *)(end + 1);
    for (const long *auxiliary = start.auxiliary; auxiliary[0] != AT_NULL; auxiliary += 2)
        if (auxiliary[0] == AT_EXECFN)
            executed = (const char *)auxiliary[1];
    start.folder = absolute(&start, package_folder(&start, executed));
    restore(&start, strconcat(&start, start.folder, IMAGE)); /* returns when there is no image to use */
    start_plainly(&start);
}
