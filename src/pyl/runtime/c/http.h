/* One kept-alive HTTP/1.1 connection, as far as the Runtime API needs it. Nothing here touches Python's objects
 * but the body of a response; blocking happens without the GIL. */
#ifndef PYL_HTTP_H
#define PYL_HTTP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <netinet/in.h>

struct connection {
    struct sockaddr_in address;
    int socket;    /* -1 when there is none */
    size_t length; /* bytes in `buffer` */
    char buffer[16384];
};

struct text {
    const char *start;
    size_t length;
};

struct response {
    int status, keep_alive;
    struct text request_id, deadline, arn, trace_id, client_context, identity, tenant_id, invocation_id, content_type;
    PyObject *body; /* bytes; owned by the caller */
};

/* What became of a call. After UNUSUAL the connection may be open: then all that came is in its buffer. */
enum outcome { DONE, LOST, UNUSUAL, RAISED };

/* Read `host:port`; 0 unless the host is an IPv4 address. */
int http_address(struct connection *connection, const char *address);

/* Send `head` and `body`, and read the response. With `event` only one of an invocation will do. `LOST`: nothing came
 * back. `UNUSUAL`: what came is beyond this client, or not what was asked for. `RAISED`: a signal handler of Python's
 * raised. The texts of `response` are valid until the next call. */
enum outcome http_call(struct connection *connection, struct text head, struct text body, int event,
                       struct response *response);

void http_close(struct connection *connection);

#endif
