/* The measuring Runtime API: starts programs, sends them events, and reports the times.
 *
 *     driver PROGRAM ARGUMENT...
 *
 * Standard input brings jobs, each a line and the event's bytes:
 *     ENVIRONMENTS INVOCATIONS TIMEOUT_MS INSPECT EVENT_LENGTH CGROUP\n
 * (CGROUP is a folder, or `-`). For each job standard output gets, per environment, one line of JSON, then the
 * bytes of the first answer and of what the program printed, as long as the line says. All times are nanoseconds.
 *
 * One thread, blocking in poll() while a program works: the clock of an invocation holds nothing of this
 * process but what `server` says (processor time). The environment of this process is the environment of the programs.
 */
#include "driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_LIMIT 8192
#define GLANCE 20 /* ms between two looks at whether a silent program still lives */

int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

struct moment this_moment(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (struct moment){.time = now(), .processor = time.tv_sec * 1000000000LL + time.tv_nsec};
}

void append(struct buffer *buffer, const void *bytes, size_t count)
{
    if (buffer->length + count > buffer->room) {
        buffer->room = (buffer->length + count) * 2 + 65536;
        buffer->bytes = realloc(buffer->bytes, buffer->room);
        if (!buffer->bytes)
            abort();
    }
    memcpy(buffer->bytes + buffer->length, bytes, count);
    buffer->length += count;
}

void consume(struct buffer *buffer, size_t count)
{
    memmove(buffer->bytes, buffer->bytes + count, buffer->length - count);
    buffer->length -= count;
}

static int open_listener(struct environment *environment)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    environment->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (environment->listener < 0 || bind(environment->listener, (struct sockaddr *)&address, length) ||
        listen(environment->listener, CONNECTIONS) ||
        getsockname(environment->listener, (struct sockaddr *)&address, &length))
        return -1;
    environment->port = ntohs(address.sin_port);
    return 0;
}

static void open_environment(struct environment *environment, const struct job *job)
{
    memset(environment, 0, sizeof *environment);
    for (int i = 0; i < CONNECTIONS; i++)
        environment->connections[i].socket = -1;
    environment->latencies = calloc(job->invocations, sizeof(int64_t));
    environment->servers = calloc(job->invocations, sizeof(int64_t));
    environment->log = memfd_create("log", MFD_CLOEXEC);
    if (!environment->latencies || !environment->servers)
        abort();
    if (environment->log < 0 || open_listener(environment)) {
        environment->failure = "socket";
        environment->detail = errno;
        environment->done = 1;
    }
}

static void take_connection(struct environment *environment)
{
    int socket = accept4(environment->listener, NULL, NULL, SOCK_CLOEXEC);
    if (socket < 0)
        return;
    if (!environment->connected)
        environment->connected = now();
    int on = 1;
    struct timeval limit = {.tv_sec = 5};
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    for (int i = 0; i < CONNECTIONS; i++)
        if (environment->connections[i].socket < 0) {
            environment->connections[i].socket = socket;
            environment->connections[i].input.length = 0;
            return;
        }
    close(socket);
}

static void read_connection(struct environment *environment, struct connection *connection, const struct job *job)
{
    static char piece[1 << 18];
    struct moment woken = this_moment();
    for (;;) {
        ssize_t count = recv(connection->socket, piece, sizeof piece, MSG_DONTWAIT);
        if (count > 0) {
            append(&connection->input, piece, (size_t)count);
            if ((size_t)count == sizeof piece)
                continue;
            break;
        }
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        close(connection->socket);
        connection->socket = -1;
        return;
    }
    serve(environment, connection, job, woken);
}

static void wait_for_all(struct environment *environments, const struct job *job)
{
    size_t slots = (size_t)job->environments * (CONNECTIONS + 1);
    struct pollfd *polled = calloc(slots, sizeof *polled);
    int64_t end = now() + job->timeout, glanced = now();
    if (!polled)
        abort();
    for (;;) {
        unsigned open = 0;
        for (unsigned e = 0; e < job->environments; e++) {
            struct pollfd *of = polled + (size_t)e * (CONNECTIONS + 1);
            int watched = !environments[e].done;
            open += (unsigned)watched;
            of[0] = (struct pollfd){.fd = watched ? environments[e].listener : -1, .events = POLLIN};
            for (int i = 0; i < CONNECTIONS; i++)
                of[i + 1] =
                    (struct pollfd){.fd = watched ? environments[e].connections[i].socket : -1, .events = POLLIN};
        }
        if (!open)
            break;
        poll(polled, slots, GLANCE);
        for (unsigned e = 0; e < job->environments; e++) {
            struct pollfd *of = polled + (size_t)e * (CONNECTIONS + 1);
            for (int i = 0; i < CONNECTIONS; i++)
                if (of[i + 1].revents && !environments[e].done)
                    read_connection(&environments[e], &environments[e].connections[i], job);
            if (of[0].revents && !environments[e].done)
                take_connection(&environments[e]);
        }
        if (now() - glanced < GLANCE * 1000000LL)
            continue;
        glanced = now();
        for (unsigned e = 0; e < job->environments; e++) {
            if (environments[e].done)
                continue;
            look_whether_alive(&environments[e]);
            if (!environments[e].done && now() > end) {
                environments[e].failure = environments[e].asked ? "timeout" : "never-asked";
                environments[e].done = 1;
            }
        }
    }
    free(polled);
}

static void print_usage(const char *name, const struct usage *usage)
{
    printf(",\"%s\":{\"processor\":%lld,\"peak\":%lld,\"resident\":%lld,\"proportional\":%lld,\"private\":%lld,"
           "\"minor\":%lld,\"major\":%lld}",
           name, (long long)usage->processor, (long long)usage->peak, (long long)usage->resident,
           (long long)usage->proportional, (long long)usage->private, (long long)usage->minor, (long long)usage->major);
}

static void print_numbers(const char *name, const int64_t *numbers, unsigned count)
{
    printf(",\"%s\":[", name);
    for (unsigned i = 0; i < count; i++)
        printf(i ? ",%lld" : "%lld", (long long)numbers[i]);
    printf("]");
}

static int64_t since_start(const struct environment *environment, int64_t moment)
{
    return moment ? moment - environment->executed : 0;
}

static void report(struct environment *environment)
{
    char log[LOG_LIMIT];
    off_t size = lseek(environment->log, 0, SEEK_END), from = size > LOG_LIMIT ? size - LOG_LIMIT : 0;
    ssize_t printed = size > 0 ? pread(environment->log, log, sizeof log, from) : 0;
    if (printed < 0)
        printed = 0;
    printf("{\"failure\":\"%s\",\"detail\":%ld", environment->failure ? environment->failure : "", environment->detail);
    printf(",\"connected\":%lld,\"asked\":%lld,\"handed\":%lld,\"answered\":%lld,\"server\":%lld",
           (long long)since_start(environment, environment->connected),
           (long long)since_start(environment, environment->asked),
           (long long)since_start(environment, environment->handed),
           (long long)since_start(environment, environment->answered), (long long)environment->cold_server);
    printf(",\"span\":%lld", (long long)(environment->last_answer - environment->first_answer));
    print_usage("first", &environment->first);
    print_usage("last", &environment->last);
    print_numbers("latencies", environment->latencies, environment->answers);
    print_numbers("servers", environment->servers, environment->answers);
    printf(",\"body\":%zu,\"log\":%zd}\n", environment->body.length, printed);
    fwrite(environment->body.bytes, 1, environment->body.length, stdout);
    fwrite(log, 1, (size_t)printed, stdout);
}

static void close_environment(struct environment *environment)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        if (environment->connections[i].socket >= 0)
            close(environment->connections[i].socket);
        free(environment->connections[i].input.bytes);
    }
    if (environment->listener >= 0)
        close(environment->listener);
    if (environment->log >= 0)
        close(environment->log);
    free(environment->latencies);
    free(environment->servers);
    free(environment->body.bytes);
}

static void run(const struct job *job, char *const *arguments)
{
    cpu_set_t allowed;
    struct environment *environments = calloc(job->environments, sizeof *environments);
    if (!environments)
        abort();
    for (unsigned e = 0; e < job->environments; e++)
        open_environment(&environments[e], job);
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        CPU_ZERO(&allowed);
    for (unsigned e = 0; e < job->environments; e++)
        if (!environments[e].done)
            start_process(&environments[e], arguments);
    wait_for_all(environments, job);
    for (unsigned e = 0; e < job->environments; e++)
        end_process(&environments[e]);
    if (CPU_COUNT(&allowed))
        sched_setaffinity(0, sizeof allowed, &allowed);
    for (unsigned e = 0; e < job->environments; e++) {
        report(&environments[e]);
        close_environment(&environments[e]);
    }
    fflush(stdout);
    free(environments);
}

int main(int count, char **arguments)
{
    struct job job = {0};
    char line[1024];
    struct rlimit files;
    if (count < 2)
        return 2;
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < 4096) {
        files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    while (fgets(line, sizeof line, stdin)) {
        long timeout;
        size_t length;
        if (sscanf(line, "%u %u %ld %d %zu %511s", &job.environments, &job.invocations, &timeout, &job.inspect, &length,
                   job.group) != 6)
            return 2;
        if (!strcmp(job.group, "-"))
            job.group[0] = 0;
        job.timeout = timeout * 1000000LL;
        job.event.length = 0;
        char *event = malloc(length ? length : 1);
        if (!event || fread(event, 1, length, stdin) != length)
            return 2;
        append(&job.event, event, length);
        free(event);
        run(&job, arguments + 1);
    }
    return 0;
}
