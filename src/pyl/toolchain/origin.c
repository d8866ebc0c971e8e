/* Lets the program start where there is nothing but its package: no /proc, no locales.
 *
 * Nuitka's start-up reads /proc/self/exe and aborts when it cannot. Here that link names the package's loader, which
 * runs the program, or whatever captures it; and a sandbox need not have /proc at all. The loader passes the
 * program's own path on as its first argument.
 *
 * It converts that path in the environment's locale, or else in C.UTF-8, and aborts when the system has neither (Lambda
 * says LANG=en_US.UTF-8 whatever is installed). The locale "C" is inside of the C library, and does for /var/task.
 *
 * Linked into the program, so its own calls are what is answered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t readlink(const char *restrict path, char *restrict target, size_t size)
{
    if (strcmp(path, "/proc/self/exe") != 0)
        return syscall(SYS_readlinkat, AT_FDCWD, path, target, size);
    size_t length = strlen(program_invocation_name);
    if (length > size)
        length = size;
    memcpy(target, program_invocation_name, length);
    return (ssize_t)length;
}

locale_t __newlocale(int mask, const char *name, locale_t base); // the C library's own name for it

locale_t newlocale(int mask, const char *name, locale_t base)
{
    locale_t made = __newlocale(mask, name, base);
    return made ? made : __newlocale(mask, "C", base);
}
