/* See guards.h. */
#include "guards.h"

#include "report.h"
#include "system.h"

/* Is the variable at `entry` named in `names`, one a line, `*` standing for any ending? */
static int is_named(const char *entry, const char *names)
{
    while (*names) {
        const char *at = entry;
        while (*names && *names != '\n' && *names != '*' && *names == *at)
            names++, at++;
        if (*names == '*' || ((*names == '\n' || !*names) && *at == '='))
            return 1;
        while (*names && *names++ != '\n')
            ;
    }
    return 0;
}

/* The first variable that is not named, as `name=value`, or NULL. */
static const char *find_other_variable(char *const *environment, const char *names)
{
    for (char *const *entry = environment; *entry; entry++)
        if (!is_named(*entry, names))
            return *entry;
    return NULL;
}

/* The result of looking at a path: 0, or an error. */
static long look_at(const char *path, long flags)
{
    struct stat status;
    return system_call(__NR_newfstatat, AT_FDCWD, path, &status, flags);
}

/* Is neither a file nor a symbolic link at `path`? What may not be looked at may be there. */
static int is_absent(const char *path)
{
    long error = look_at(path, AT_SYMLINK_NOFOLLOW);
    return error == -ENOENT || error == -ENOTDIR;
}

static unsigned long auxiliary_value(const struct start *start, long type)
{
    const long *auxiliary = start->auxiliary;
    while (auxiliary[0] != AT_NULL && auxiliary[0] != type)
        auxiliary += 2;
    return auxiliary[0] == type ? (unsigned long)auxiliary[1] : ~0ul;
}

enum { USER_BYTES = 2 * DECIMAL_BYTES };

/* "uid:gid"; the kernel passes them to each program, so no system call is needed. */
static const char *write_user(char *text, const struct start *start, long user_type, long group_type)
{
    char *end = write_decimal(text, auxiliary_value(start, user_type));
    *end++ = ':';
    *write_decimal(end, auxiliary_value(start, group_type)) = 0;
    return text;
}

static int is_user(const struct start *start, const char *user)
{
    char text[USER_BYTES];
    return str_equal(write_user(text, start, AT_UID, AT_GID), user) &&
           str_equal(write_user(text, start, AT_EUID, AT_EGID), user);
}

enum { MOST_PROCESSORS = 8192 }; /* a Linux kernel can be configured for */

/* The number of processors that this process may run on. */
static const char *write_processors(char *text)
{
    unsigned long mask[MOST_PROCESSORS / 8 / sizeof(long)] = {0}, count = 0;
    long bytes = system_call(__NR_sched_getaffinity, 0, sizeof mask, mask);
    for (long i = 0; i < bytes / (long)sizeof *mask; i++)
        for (unsigned long rest = mask[i]; rest; rest &= rest - 1)
            count++;
    *write_decimal(text, count) = 0;
    return text;
}

static int guard_holds(const struct start *start, const struct image_header *header, const struct image_guard *guard)
{
    char count[DECIMAL_BYTES];
    const char *name = TEXT(header, guard->name), *value = TEXT(header, guard->value), *found;
    switch (guard->kind) {
    case GUARD_TASK_ROOT:
        return str_equal(start->folder, value);
    case GUARD_NO_OTHER:
        return !find_other_variable(start->environment, value);
    case GUARD_EQUAL:
        found = get_variable(start->environment, name);
        return found && str_equal(found, value);
    case GUARD_PRESENT:
        return !!get_variable(start->environment, name);
    case GUARD_ABSENT:
        return !get_variable(start->environment, name);
    case GUARD_PATH_PRESENT:
        return !look_at(name, 0);
    case GUARD_PATH_ABSENT:
        return is_absent(name);
    case GUARD_USER:
        return is_user(start, value);
    case GUARD_PROCESSORS:
        return str_equal(write_processors(count), value);
    default:
        return 0;
    }
}

const struct image_guard *find_failing_guard(const struct start *start, const struct image_header *header,
                                             const struct image_variant *variant)
{
    const struct image_guard *guards = TABLE(header, variant->guards, struct image_guard);
    for (uint32_t i = 0; i < variant->guards.count; i++)
        if (!guard_holds(start, header, &guards[i]))
            return &guards[i];
    return NULL;
}

#define NOT_USED "the process image is not used: "

static void log_other_variable(const char *entry, const char *instead)
{
    size_t length = 0;
    while (entry[length] && entry[length] != '=')
        length++;
    char *name = map_zeroed(length + 1); /* never the value: it may be a secret */
    const char *details[] = {
        "guard", "other variables", "instead", instead, "found", name ? memcpy(name, entry, length) : "?", NULL};
    log_line(
        "WARN",
        MESSAGE(NOT_USED
                "all environment variables were read at import, and this one was not set at the build; set it in the "
                "project's configuration too, or read the variables inside the handler"),
        details);
}

/* What failed, and what to do about it. */
static const char *explain(uint32_t kind)
{
    switch (kind) {
    case GUARD_TASK_ROOT:
        return MESSAGE(NOT_USED "the package is not at /var/task; starting without it");
    case GUARD_ABSENT:
        return MESSAGE(NOT_USED
                       "this environment variable was read at import, and was not set at the build; set it in the "
                       "project's configuration too, or read it inside the handler");
    case GUARD_PRESENT:
        return MESSAGE(NOT_USED
                       "code looked for this environment variable at import; it was set at the build, and is not set "
                       "here; set it here too, or look for it inside the handler");
    case GUARD_PATH_ABSENT:
        return MESSAGE(NOT_USED
                       "code looked for this path at import; nothing was there at the build, and something is here; "
                       "look for it inside the handler");
    case GUARD_PATH_PRESENT:
        return MESSAGE(NOT_USED
                       "code looked for this path at import; it existed at the build, and cannot be found here; look "
                       "for it inside the handler");
    case GUARD_USER:
        return MESSAGE(NOT_USED
                       "the user and group ids were read at import, and are others than at the build; read them "
                       "inside the handler");
    case GUARD_PROCESSORS:
        return MESSAGE(NOT_USED
                       "the number of processors was read at import, and is another one than at the build; read it "
                       "inside the handler");
    default:
        return MESSAGE(NOT_USED
                       "this environment variable was read at import, and has another value than at the build; give "
                       "it the same value in the project's configuration, or read it inside the handler");
    }
}

void log_failing_guard(const struct start *start, const struct image_header *header, const struct image_guard *guard,
                       const char *instead)
{
    const char *name = TEXT(header, guard->name), *found = NULL;
    char text[USER_BYTES];
    switch (guard->kind) {
    case GUARD_NO_OTHER:
        log_other_variable(find_other_variable(start->environment, TEXT(header, guard->value)), instead);
        return;
    case GUARD_TASK_ROOT:
        name = "task root";
        found = start->folder;
        break;
    case GUARD_USER:
        name = "user";
        found = write_user(text, start, AT_EUID, AT_EGID);
        break;
    case GUARD_PROCESSORS:
        name = "processors";
        found = write_processors(text);
        break;
    default: /* never the value of a variable: it may be a secret */
        break;
    }
    const char *details[] = {"guard", name, "instead", instead, found ? "found" : NULL, found, NULL};
    log_line("WARN", explain(guard->kind), details);
}
