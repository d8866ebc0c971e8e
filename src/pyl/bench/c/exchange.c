/* The Runtime API's two requests that matter, `next` and `response`, and the clock of each.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PREFIX "/2018-06-01/runtime/"
#define AT_ONCE 32768 /* bytes of an event that reach the program before the sending returns */

struct request {
    char method[8], path[256];
    const char *body;
    size_t body_length, length; /* of the body; of the whole request */
};

enum found { INCOMPLETE, COMPLETE, GARBAGE };

static const char *header(const char *head, const char *end, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = head; line && line < end; line = memmem(line, (size_t)(end - line), "\r\n", 2)) {
        line += line == head ? 0 : 2;
        if (line + length < end && !strncasecmp(line, name, length) && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    }
    return NULL;
}

/* Joins the chunks of a body, in place, when all have arrived. */
static enum found unchunk(char *body, size_t available, struct request *request)
{
    char *from = body, *to = body, *end = body + available;
    for (;;) {
        char *line = memmem(from, (size_t)(end - from), "\r\n", 2), *rest;
        if (!line)
            return INCOMPLETE;
        size_t size = strtoul(from, &rest, 16);
        if (rest == from)
            return GARBAGE;
        if ((size_t)(end - line) < size + 4)
            return INCOMPLETE;
        memmove(to, line + 2, size);
        to += size;
        from = line + 2 + size + 2;
        if (!size)
            break;
    }
    request->body = body;
    request->body_length = (size_t)(to - body);
    request->length = (size_t)(from - body);
    return COMPLETE;
}

static int all_chunks_arrived(const struct buffer *input)
{
    return input->length > 5 && !memcmp(input->bytes + input->length - 5, "0\r\n\r\n", 5);
}

static enum found parse(struct buffer *input, struct request *request)
{
    static const char *methods[] = {"GET ", "POST "};
    char *end = memmem(input->bytes, input->length, "\r\n\r\n", 4);
    int known = 0;
    for (int i = 0; i < 2; i++)
        known |=
            !strncmp(input->bytes, methods[i], input->length < strlen(methods[i]) ? input->length : strlen(methods[i]));
    if (!known || (!end && input->length > 65536))
        return GARBAGE;
    if (!end)
        return INCOMPLETE;
    if (sscanf(input->bytes, "%7s %255s", request->method, request->path) != 2)
        return GARBAGE;
    size_t head = (size_t)(end - input->bytes) + 4;
    const char *length = header(input->bytes, end, "Content-Length");
    const char *encoding = header(input->bytes, end, "Transfer-Encoding");
    if (encoding && !strncasecmp(encoding, "chunked", 7)) {
        if (!all_chunks_arrived(input))
            return INCOMPLETE;
        enum found found = unchunk(input->bytes + head, input->length - head, request);
        request->length += head;
        return found;
    }
    request->body = input->bytes + head;
    request->body_length = length ? strtoul(length, NULL, 10) : 0;
    request->length = head + request->body_length;
    return input->length < request->length ? INCOMPLETE : COMPLETE;
}

static int send_all(int socket, const char *head, size_t head_length, const struct buffer *body)
{
    struct iovec parts[2] = {{(void *)head, head_length}, {body ? body->bytes : NULL, body ? body->length : 0}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = body && body->length ? 2 : 1};
    while (message.msg_iovlen) {
        ssize_t count = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        while (message.msg_iovlen && (size_t)count >= message.msg_iov->iov_len) {
            count -= (ssize_t)message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + count;
            message.msg_iov->iov_len -= (size_t)count;
        }
    }
    return 0;
}

static void reply(struct connection *connection, const char *status)
{
    char text[160];
    int length = snprintf(
        text, sizeof text,
        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}", status);
    send_all(connection->socket, text, (size_t)length, NULL);
}

static void fail(struct environment *environment, const char *failure)
{
    environment->failure = failure;
    environment->done = 1;
}

static void hand_out(struct environment *environment, struct connection *connection, const struct job *job,
                     struct moment woken)
{
    char head[768];
    struct timespec time;
    if (!environment->asked) {
        environment->asked = woken.time;
        if (job->group[0] && join_group(job->group, environment->process)) {
            environment->detail = errno;
            fail(environment, "cgroup");
            return;
        }
    }
    clock_gettime(CLOCK_REALTIME, &time);
    int length = snprintf(
        head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-%012x\r\n"
        "Lambda-Runtime-Deadline-Ms: %lld\r\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:bench\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"
        "Content-Length: %zu\r\n\r\n",
        environment->answers, (long long)time.tv_sec * 1000 + 60000, job->event.length);
    environment->under_way = 1;
    struct moment begun = this_moment();
    if (!environment->handed)
        environment->handed = begun.time;
    environment->latencies[environment->answers] = -begun.time;
    if (send_all(connection->socket, head, (size_t)length, &job->event))
        fail(environment, "closed");
    int64_t sent = this_moment().processor;
    /* A cold start waits for all that is done here; an invocation's clock starts when the sending does. A large event
     * is read while it is being sent: then the two sides work at once, and nothing may be subtracted. */
    int64_t sending = job->event.length > AT_ONCE ? 0 : sent - begun.processor;
    environment->cold_server =
        environment->answers ? environment->cold_server : begun.processor - woken.processor + sending;
    environment->servers[environment->answers] = sending;
}

static void take_answer(struct environment *environment, struct connection *connection, const struct job *job,
                        const struct request *request, struct moment woken)
{
    int64_t received = woken.time; /* when its last bytes were there, not when they had been read */
    if (!environment->under_way) {
        fail(environment, "protocol");
        return;
    }
    environment->latencies[environment->answers] += received;
    environment->under_way = 0;
    environment->last_answer = received;
    if (!environment->answered) {
        environment->answered = environment->first_answer = received;
        append(&environment->body, request->body, request->body_length);
        if (job->inspect) /* the program waits for its 202 meanwhile */
            read_usage(environment->process, &environment->first);
        if (job->environments == 1 && job->invocations > 1)
            confine(environment->process);
    }
    if (++environment->answers >= job->invocations) {
        if (job->inspect)
            read_usage(environment->process, &environment->last);
        environment->done = 1;
    }
    reply(connection, "202 Accepted");
}

static void take_error(struct environment *environment, struct connection *connection, const struct request *request,
                       const char *failure)
{
    environment->body.length = 0;
    append(&environment->body, request->body, request->body_length);
    reply(connection, "202 Accepted");
    fail(environment, failure);
}

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);
    return length >= size && !strcmp(text + length - size, end);
}

/* Answer every whole request that has arrived on `connection`; `woken` is when poll() said so. */
void serve(struct environment *environment, struct connection *connection, const struct job *job, struct moment woken)
{
    struct request request;
    while (connection->input.length && !environment->done) {
        enum found found = parse(&connection->input, &request);
        if (found == INCOMPLETE)
            return;
        if (found == GARBAGE) {
            fail(environment, "protocol");
            return;
        }
        if (!strcmp(request.path, PREFIX "invocation/next") && !strcmp(request.method, "GET"))
            hand_out(environment, connection, job, woken);
        else if (!strcmp(request.path, PREFIX "init/error"))
            take_error(environment, connection, &request, "init-error");
        else if (ends_with(request.path, "/response"))
            take_answer(environment, connection, job, &request, woken);
        else if (ends_with(request.path, "/error"))
            take_error(environment, connection, &request, "error");
        else
            reply(connection, "404 Not Found");
        consume(&connection->input, request.length);
    }
}
