/* Tells the program where it stands, without asking the kernel.
 *
 * Nuitka's start-up reads /proc/self/exe and aborts when it cannot. Here that link names the package's loader, which
 * runs the program, or whatever captures it; and a sandbox need not have /proc at all. The loader passes the
 * program's own path on as its first argument. Linked into the program, so its own calls are what is answered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t readlink(const char *restrict path, char *restrict target, size_t size) {
    if (strcmp(path, "/proc/self/exe") != 0)
        return syscall(SYS_readlinkat, AT_FDCWD, path, target, size);
    size_t length = strlen(program_invocation_name);
    if (length > size)
        length = size;
    memcpy(target, program_invocation_name, length);
    return (ssize_t)length;
}
