/* The first process of an emulated machine: calls functions of packages as Lambda would, and prints what they answer.
 *
 * Reads /plan, one call a line: package, function, event, then NAME=VALUE of further variables, separated by tabs.
 * Loads the modules in /modules, numbered from 0, and mounts the disk with the packages at /packages.
 * The package in /packages/PACKAGE is bound at /var/task. Prints lines that begin with '@', fields separated by tabs:
 *   @answer PACKAGE FUNCTION ANSWER     @error PACKAGE FUNCTION ERROR     @died PACKAGE FUNCTION STATUS     @done */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 9001, PATIENCE = 120000 /* milliseconds; emulation is slow */, LARGEST = 1 << 20 };

static char *const lambda[] = {
    "LANG=en_US.UTF-8",
    "TZ=:UTC",
    "PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT=/var/task",
    "LAMBDA_RUNTIME_DIR=/var/runtime",
    "AWS_REGION=us-east-1",
    "AWS_DEFAULT_REGION=us-east-1",
    "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001",
    "AWS_LAMBDA_FUNCTION_NAME=emulated",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
    "AWS_ACCESS_KEY_ID=AKIAEMULATED",
    "AWS_SECRET_ACCESS_KEY=emulated-secret",
    "AWS_SESSION_TOKEN=emulated-token",
};

static _Noreturn void end(const char *why)
{
    printf("%s\n", why);
    fflush(stdout);
    sleep(1); /* the serial line is slow */
    reboot(RB_AUTOBOOT);
    for (;;)
        pause();
}

static void load_modules(void)
{
    for (int number = 0;; number++) {
        char place[32];
        snprintf(place, sizeof place, "/modules/%d", number);
        int file = open(place, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            return;
        if (syscall(SYS_finit_module, file, "", 0))
            end("@no module");
        close(file);
    }
}

static void prepare(void)
{
    mkdir("/proc", 0755), mkdir("/dev", 0755), mkdir("/tmp", 01777), mkdir("/var", 0755), mkdir("/var/task", 0755);
    if (mount("proc", "/proc", "proc", 0, NULL) || mount("tmpfs", "/tmp", "tmpfs", 0, NULL))
        end("@no file systems");
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    load_modules();
    if (mount("/dev/vda", "/packages", "ext4", MS_RDONLY, NULL))
        end("@no disk");
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int socket_of = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(socket_of, SIOCSIFFLAGS, &loopback))
        end("@no network");
    close(socket_of);
    signal(SIGPIPE, SIG_IGN);
}

static int listening(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server, (struct sockaddr *)&here, sizeof here) || listen(server, 8))
        end("@no server");
    return server;
}

static pid_t start(const char *package, const char *function, char **variables)
{
    char source[256], handler[256], *environment[64];
    snprintf(source, sizeof source, "/packages/%s", package);
    snprintf(handler, sizeof handler, "_HANDLER=functions.%s", function);
    umount("/var/task");
    if (mount(source, "/var/task", NULL, MS_BIND, NULL))
        end("@no package");
    int count = 0;
    for (size_t i = 0; i < sizeof lambda / sizeof *lambda; i++)
        environment[count++] = lambda[i];
    environment[count++] = handler;
    while (*variables && count < 63)
        environment[count++] = *variables++;
    environment[count] = NULL;
    fflush(stdout);
    pid_t program = fork();
    if (!program) {
        char *arguments[] = {"/var/task/bootstrap", NULL};
        if (chdir("/var/task") == 0)
            execve(arguments[0], arguments, environment);
        _exit(127);
    }
    return program;
}

/* A whole request, without its end where that does not fit; 0 when the connection has been closed. */
static size_t receive(int connection, char *buffer)
{
    size_t length = 0;
    for (;;) {
        ssize_t count = read(connection, buffer + length, LARGEST - 1 - length);
        if (count <= 0)
            return 0;
        length += (size_t)count;
        buffer[length] = 0;
        char *body = strstr(buffer, "\r\n\r\n"), *announced = strcasestr(buffer, "\ncontent-length:");
        if (!body)
            continue;
        size_t expected = announced && announced < body ? strtoul(announced + 16, NULL, 10) : 0;
        if (length >= (size_t)(body + 4 - buffer) + expected)
            return length;
    }
}

static void send_text(int connection, const char *text)
{
    for (size_t length = strlen(text); length;) {
        ssize_t count = write(connection, text, length);
        if (count <= 0)
            return;
        text += count, length -= (size_t)count;
    }
}

/* Hands out one event and prints what comes back; what it was, or NULL when the program ended or is silent. */
static const char *converse(int server, pid_t program, const char *event, char *buffer)
{
    int connection = -1, status;
    for (;;) {
        struct pollfd waiting = {connection < 0 ? server : connection, POLLIN, 0};
        if (poll(&waiting, 1, 250) == 0) {
            static int waited;
            waited += 250;
            if (waitpid(program, &status, WNOHANG) == program || waited > PATIENCE)
                return NULL;
            continue;
        }
        if (connection < 0) {
            connection = accept(server, NULL, NULL);
            continue;
        }
        if (!receive(connection, buffer)) {
            close(connection), connection = -1;
            continue;
        }
        if (!strncmp(buffer, "GET ", 4)) {
            dprintf(connection,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
                    "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
                    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:emulated\r\n"
                    "Content-Length: %zu\r\n\r\n",
                    strlen(event));
            send_text(connection, event);
            continue;
        }
        send_text(connection, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        close(connection);
        return strstr(buffer, "/response HTTP") ? "answer" : "error";
    }
}

static void call(int server, char *line, char *buffer)
{
    char *fields[64] = {0}, *rest = line;
    for (int i = 0; i < 63 && (fields[i] = strsep(&rest, "\t")); i++)
        ;
    pid_t program = start(fields[0], fields[1], fields + 3);
    const char *outcome = converse(server, program, fields[2], buffer);
    char *body = outcome ? strstr(buffer, "\r\n\r\n") + 4 : "";
    printf("\n@%s\t%s\t%s\t%s\n", outcome ? outcome : "died", fields[0], fields[1], body);
    kill(program, SIGKILL);
    waitpid(program, NULL, 0);
}

int main(void)
{
    static char line[1 << 16], buffer[LARGEST];
    prepare();
    int server = listening();
    FILE *plan = fopen("/plan", "re");
    if (!plan)
        end("@no plan");
    while (fgets(line, sizeof line, plan)) {
        line[strcspn(line, "\n")] = 0;
        call(server, line, buffer);
    }
    end("@done");
}
