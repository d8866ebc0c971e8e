/* `bootstrap` of a native package for processors that have no process images: starts the program by the package's
 * own loader and libraries. Linked statically, with a C library, since nothing has to be mapped over it. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char folder[PATH_MAX], app[PATH_MAX + 16], loader[PATH_MAX + 64], program[PATH_MAX + 64];
    const char *executed = (const char *)getauxval(AT_EXECFN);
    if (!executed || !realpath(executed, folder)) {
        perror("pyl: cannot find the package's folder");
        return 1;
    }
    *strrchr(folder, '/') = 0;
    snprintf(app, sizeof app, "%s/pyl/app", folder);
    snprintf(loader, sizeof loader, "%s/%s", app, LOADER);
    snprintf(program, sizeof program, "%s/program", app);
    char **arguments = calloc((size_t)argc + 5, sizeof *arguments), **next = arguments;
    if (!arguments) {
        perror("pyl");
        return 1;
    }
    *next++ = loader;
    *next++ = "--library-path";
    *next++ = app;
    *next++ = program;
    for (int i = 1; i < argc; i++)
        *next++ = argv[i];
    execv(loader, arguments);
    fprintf(stderr,
            "pyl: cannot start %s: %s; unpack the whole zip with its permissions, on a processor that it is made for\n",
            loader, strerror(errno));
    return 1;
}
