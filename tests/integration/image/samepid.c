/* samepid PID PROGRAM...: runs a program and answers each `getpid` of it with PID.
 *
 * The process id that was seen while an image was taken is one that no kernel gives to a process. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    long identity = count > 2 ? atol(arguments[1]) : 0;
    if (!identity)
        return 2;
    pid_t program = fork();
    if (!program) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(arguments[2], arguments + 2);
        _exit(127);
    }
    int status;
    waitpid(program, &status, 0);
    ptrace(PTRACE_SETOPTIONS, program, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
    for (int deliver = 0;; deliver = 0) {
        if (ptrace(PTRACE_SYSCALL, program, 0, deliver) || waitpid(program, &status, 0) < 0)
            return 1;
        if (!WIFSTOPPED(status))
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80))
            deliver = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        else if (ptrace(PTRACE_PEEKUSER, program, 8 * ORIG_RAX, 0) == SYS_getpid &&
                 ptrace(PTRACE_PEEKUSER, program, 8 * RAX, 0) != -ENOSYS) /* which stands there on entry */
            ptrace(PTRACE_POKEUSER, program, 8 * RAX, identity);
    }
}
