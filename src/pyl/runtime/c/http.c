/* See http.h. */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int http_address(struct connection *connection, const char *address)
{
    char host[INET_ADDRSTRLEN];
    const char *colon = strrchr(address, ':');
    if (!colon || (size_t)(colon - address) >= sizeof host)
        return 0;
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = 0;
    char *end;
    unsigned long port = strtoul(colon + 1, &end, 10);
    memset(&connection->address, 0, sizeof connection->address);
    connection->address.sin_family = AF_INET;
    connection->address.sin_port = htons((uint16_t)port);
    connection->socket = -1;
    return !*end && port && port < 65536 && inet_pton(AF_INET, host, &connection->address.sin_addr) == 1;
}

void http_close(struct connection *connection)
{
    if (connection->socket >= 0)
        close(connection->socket);
    connection->socket = -1;
    connection->length = 0;
}

static int is_open(struct connection *connection)
{
    if (connection->socket >= 0)
        return 1;
    int on = 1;
    connection->length = 0;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->socket < 0)
        return 0;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int result;
    Py_BEGIN_ALLOW_THREADS
    result = connect(connection->socket, (struct sockaddr *)&connection->address, sizeof connection->address);
    Py_END_ALLOW_THREADS
    if (result < 0)
        http_close(connection);
    return result == 0;
}

/* A call that a signal interrupted goes on once Python's handlers have run, unless one of them raised. */
static int may_go_on(void) { return errno == EINTR && PyErr_CheckSignals() == 0; }

static int send_all(struct connection *connection, struct text head, struct text body)
{
    struct iovec parts[2] = {{(void *)head.start, head.length}, {(void *)body.start, body.length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (parts[0].iov_len + parts[1].iov_len) {
        ssize_t sent;
        Py_BEGIN_ALLOW_THREADS
        sent = sendmsg(connection->socket, &message, MSG_NOSIGNAL);
        Py_END_ALLOW_THREADS
        if (sent < 0) {
            if (may_go_on())
                continue;
            return 0;
        }
        for (int i = 0; i < 2; i++) {
            size_t done = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + done;
            parts[i].iov_len -= done;
            sent -= (ssize_t)done;
        }
    }
    return 1;
}

static ssize_t receive(struct connection *connection, char *to, size_t room)
{
    for (;;) {
        ssize_t count;
        if (PyErr_CheckSignals() < 0) /* one that came while no Python code ran; it would not interrupt what follows */
            return -1;
        Py_BEGIN_ALLOW_THREADS
        count = recv(connection->socket, to, room, 0);
        Py_END_ALLOW_THREADS
        if (count >= 0 || !may_go_on())
            return count;
    }
}

static struct text header_value(const char *line, const char *end, const char *name, size_t length)
{
    struct text none = {NULL, 0};
    if ((size_t)(end - line) <= length || line[length] != ':' || strncasecmp(line, name, length))
        return none;
    const char *start = line + length + 1;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    struct text value = {start, (size_t)(end - start)};
    return value;
}

static int text_equals(struct text value, const char *other)
{
    return value.length == strlen(other) && !strncasecmp(value.start, other, value.length);
}

/* Parse a response's head, from `start` to `end` (behind the empty line). Return the length of its body, or -1 without
 * a plain Content-Length. */
static long parse_head(const char *start, const char *end, struct response *response)
{
    static const struct {
        const char *name;
        size_t length, field;
    } fields[] = {
#define HEADER(name, field) {name, sizeof name - 1, offsetof(struct response, field)}
        HEADER("Lambda-Runtime-Aws-Request-Id", request_id),
        HEADER("Lambda-Runtime-Deadline-Ms", deadline),
        HEADER("Lambda-Runtime-Invoked-Function-Arn", arn),
        HEADER("Lambda-Runtime-Trace-Id", trace_id),
        HEADER("Lambda-Runtime-Client-Context", client_context),
        HEADER("Lambda-Runtime-Cognito-Identity", identity),
        HEADER("Lambda-Runtime-Aws-Tenant-Id", tenant_id),
        HEADER("Lambda-Runtime-Invocation-Id", invocation_id),
        HEADER("Content-Type", content_type),
    };
    long length = -1;
    if (end - start < 13 || memcmp(start, "HTTP/1.1 ", 9))
        return -1;
    response->status = atoi(start + 9);
    response->keep_alive = 1;
    for (const char *line = memchr(start, '\n', (size_t)(end - start)) + 1; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line)), *next = stop + 1;
        if (stop > line && stop[-1] == '\r')
            stop--;
        struct text value;
        if ((value = header_value(line, stop, "Content-Length", 14)).start) {
            if (length >= 0 || !value.length || value.length > 15)
                return -1;
            length = 0;
            for (size_t i = 0; i < value.length; i++) {
                if (value.start[i] < '0' || value.start[i] > '9')
                    return -1;
                length = length * 10 + (value.start[i] - '0');
            }
        } else if (header_value(line, stop, "Transfer-Encoding", 17).start) {
            return -1;
        } else if ((value = header_value(line, stop, "Connection", 10)).start) {
            response->keep_alive = !text_equals(value, "close");
        }
        for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
            if ((value = header_value(line, stop, fields[i].name, fields[i].length)).start)
                *(struct text *)((char *)response + fields[i].field) = value;
        line = next;
    }
    return length;
}

static enum outcome close_after(struct connection *connection, int has_received)
{
    http_close(connection);
    return PyErr_Occurred() ? RAISED : has_received ? UNUSUAL : LOST;
}

static enum outcome read_body(struct connection *connection, size_t head, size_t length, struct response *response)
{
    size_t received = connection->length - head;
    if (received > length) /* more than was announced: nobody knows what it belongs to */
        return close_after(connection, 1);
    response->body = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
    if (!response->body)
        return close_after(connection, 1);
    char *to = PyBytes_AS_STRING(response->body);
    memcpy(to, connection->buffer + head, received);
    while (received < length) {
        ssize_t count = receive(connection, to + received, length - received);
        if (count <= 0) {
            Py_CLEAR(response->body);
            return close_after(connection, 1);
        }
        received += (size_t)count;
    }
    connection->length = 0; /* the head stays where it is: `response` points into it */
    return DONE;
}

static enum outcome read_response(struct connection *connection, int event, struct response *response)
{
    connection->length = 0;
    for (;;) {
        size_t room = sizeof connection->buffer - connection->length;
        if (!room)
            return UNUSUAL;
        ssize_t count = receive(connection, connection->buffer + connection->length, room);
        if (count <= 0)
            return close_after(connection, connection->length > 0);
        size_t searched = connection->length > 3 ? connection->length - 3 : 0;
        connection->length += (size_t)count;
        const char *end = memmem(connection->buffer + searched, connection->length - searched, "\r\n\r\n", 4);
        if (!end)
            continue;
        long length = parse_head(connection->buffer, end + 2, response);
        if (length < 0 || response->status < 200 ||
            (event && (response->status != 200 || !response->request_id.length)))
            return UNUSUAL;
        return read_body(connection, (size_t)(end + 4 - connection->buffer), (size_t)length, response);
    }
}

enum outcome http_call(struct connection *connection, struct text head, struct text body, int event,
                       struct response *response)
{
    /* Twice: a kept-alive connection may have been dropped while nobody used it. */
    for (int attempt = connection->socket >= 0 ? 0 : 1; attempt < 2; attempt++) {
        memset(response, 0, sizeof *response);
        if (!is_open(connection))
            return close_after(connection, 0);
        if (!send_all(connection, head, body)) {
            if (close_after(connection, 0) == RAISED)
                return RAISED;
            continue;
        }
        enum outcome outcome = read_response(connection, event, response);
        if (outcome != LOST)
            return outcome;
    }
    return LOST;
}
