/* See loop.h. */
#include "loop.h"

#include "call.h"

#include <stdio.h>
#include <string.h>

#define VERSION "/2018-06-01/runtime"

struct server {
    PyObject *plan;
    const char *address;
    struct connection connection;
    char next[512];
    char head[4096];
};

static struct server server; /* in zeroed memory of its own: one loop a process */

static int keep(PyObject *result)
{
    Py_XDECREF(result);
    return result != NULL;
}

/* Hand over the connection, if there is one, and what was received over it; who takes it closes it. */
static int give_away(int to, const char *format, ...)
{
    struct connection *connection = &server.connection;
    va_list values;
    va_start(values, format);
    PyObject *first = Py_VaBuildValue(format, values);
    va_end(values);
    Py_ssize_t length = connection->socket < 0 ? 0 : (Py_ssize_t)connection->length;
    PyObject *last = Py_BuildValue("(iy#)", connection->socket, connection->buffer, length);
    PyObject *arguments = first && last ? PySequence_Concat(first, last) : NULL;
    connection->socket = -1;
    connection->length = 0;
    int good = arguments && keep(PyObject_CallObject(PyTuple_GET_ITEM(server.plan, to), arguments));
    Py_XDECREF(first);
    Py_XDECREF(last);
    Py_XDECREF(arguments);
    return good;
}

static int give_answer_away(struct text id, struct text invocation, const struct answer *answer)
{
    PyObject *request_id = string_of(id), *invocation_id = string_of(invocation);
    int good = request_id && invocation_id &&
               give_away(POST, "(OOy#s)", request_id, invocation_id, answer->body.start, (Py_ssize_t)answer->body.length,
                         answer->content_type);
    Py_XDECREF(request_id);
    Py_XDECREF(invocation_id);
    return good;
}

static int refused(struct text id, const struct response *response)
{
    PyObject *request_id = string_of(id);
    int good = request_id && keep(PyObject_CallFunction(PyTuple_GET_ITEM(server.plan, REFUSED), "OiO", request_id, response->status,
                                                        response->body));
    Py_XDECREF(request_id);
    return good;
}

#define POST_START "POST " VERSION "/invocation/"
#define INVOCATION_HEADER "Lambda-Runtime-Invocation-Id: "

static int post_answer(const struct response *event, const struct answer *answer)
{
    struct text id = event->request_id, invocation = event->invocation_id;
    int length = snprintf(server.head, sizeof server.head,
                          POST_START "%.*s/response HTTP/1.1\r\nHost: %s\r\nUser-Agent: pyl\r\n"
                          "Content-Type: %s\r\nContent-Length: %zu\r\n%s%.*s\r\n%s",
                          (int)id.length, id.start, server.address, answer->content_type, answer->body.length,
                          invocation.length ? INVOCATION_HEADER : "", (int)invocation.length,
                          invocation.length ? invocation.start : "", invocation.length ? "\r\n" : "");
    if (length < 0 || (size_t)length >= sizeof server.head) {
        http_close(&server.connection);
        return give_answer_away(id, invocation, answer);
    }
    /* The event's texts are where the next response will be; these stay. */
    struct text head = {server.head, (size_t)length}, kept = {server.head + sizeof POST_START - 1, id.length};
    struct text kept_invocation = {server.head + length - 4 - invocation.length, invocation.length};
    struct response response;
    enum outcome outcome = http_call(&server.connection, head, answer->body, 0, &response);
    if (outcome == RAISED)
        return 0;
    if (outcome != DONE)
        return give_answer_away(kept, kept_invocation, answer);
    if (!response.keep_alive)
        http_close(&server.connection);
    int good = response.status < 300 || refused(kept, &response);
    Py_DECREF(response.body);
    return good;
}

static int serve_one(void)
{
    struct response event;
    struct answer answer;
    struct text nothing = {"", 0}, next = {server.next, strlen(server.next)};
    enum outcome outcome = http_call(&server.connection, next, nothing, 1, &event);
    if (outcome == RAISED)
        return 0;
    if (outcome != DONE)
        return give_away(FALL_BACK, "()");
    if (!event.keep_alive)
        http_close(&server.connection);
    int good = call_handler(&event, &answer);
    if (good && answer.content_type)
        good = post_answer(&event, &answer);
    call_clear(&answer);
    Py_DECREF(event.body);
    return good;
}

PyObject *pyl_disconnect(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    http_close(&server.connection);
    Py_RETURN_NONE;
}

int loop_takes(const char *address)
{
    int length = snprintf(server.next, sizeof server.next,
                          "GET " VERSION "/invocation/next HTTP/1.1\r\nHost: %s\r\nUser-Agent: pyl\r\n\r\n", address);
    return length > 0 && (size_t)length < sizeof server.next && http_address(&server.connection, address);
}

PyObject *take_exception(void)
{
    PyObject *kind, *error, *trace;
    PyErr_Fetch(&kind, &error, &trace);
    PyErr_NormalizeException(&kind, &error, &trace);
    if (trace)
        PyException_SetTraceback(error, trace);
    Py_XDECREF(kind);
    Py_XDECREF(trace);
    return error;
}

PyObject *loop_serve(const char *address, PyObject *plan)
{
    if (!loop_takes(address))
        Py_RETURN_NONE;
    if (!call_prepare(plan))
        return NULL;
    server.address = address;
    server.plan = plan;
    while (serve_one())
        ;
    http_close(&server.connection);
    return NULL;
}

PyObject *pyl_serve(PyObject *module, PyObject *arguments)
{
    const char *address;
    PyObject *plan;
    (void)module;
    return PyArg_ParseTuple(arguments, "sO!", &address, &PyTuple_Type, &plan) ? loop_serve(address, plan) : NULL;
}
