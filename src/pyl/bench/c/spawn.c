/* Starts and ends the measured programs. */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The variables of this process and the address of the environment's own Runtime API. */
static char **variables(int port)
{
    static char address[64];
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **list = calloc(count + 2, sizeof *list);
    if (!list)
        abort();
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "AWS_LAMBDA_RUNTIME_API=", 23))
            list[kept++] = environ[i];
    snprintf(address, sizeof address, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d", port);
    list[kept] = address;
    return list;
}

/* vfork, so that nothing is copied: the child's clock stops this side of its exec, and starts the other's. */
int start_process(struct environment *environment, char *const *arguments)
{
    char **list = variables(environment->port);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    volatile int *error = (volatile int *)calloc(1, sizeof *error);
    volatile int64_t *executed = &environment->executed;
    if (!error)
        abort();
    pid_t process = vfork();
    if (process == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(nothing, 0);
        dup2(environment->log, 1);
        dup2(environment->log, 2);
        *executed = now();
        execve(arguments[0], arguments, list);
        *error = errno;
        _exit(127);
    }
    environment->process = process;
    if (process < 0 || *error) {
        environment->failure = "exec";
        environment->detail = process < 0 ? errno : *error;
        environment->done = 1;
    }
    free((void *)error);
    free(list);
    if (nothing >= 0)
        close(nothing);
    return environment->done ? -1 : 0;
}

static void note_end(struct environment *environment, int status)
{
    environment->process = 0;
    environment->done = 1;
    environment->failure = WIFSIGNALED(status) ? "signal" : "exit";
    environment->detail = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* Marks the environment as failed when its process has ended by itself. */
void look_whether_alive(struct environment *environment)
{
    int status;
    if (environment->process > 0 && waitpid(environment->process, &status, WNOHANG) == environment->process)
        note_end(environment, status);
}

void end_process(struct environment *environment)
{
    if (environment->process <= 0)
        return;
    kill(-environment->process, SIGKILL);
    kill(environment->process, SIGKILL);
    while (waitpid(environment->process, NULL, 0) < 0 && errno == EINTR)
        ;
    environment->process = 0;
}
