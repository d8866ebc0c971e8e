/* See loop.h. What is rare goes to Python: `fall_back(descriptor, received)` answers one event by Python's own client,
 * which goes on reading where this one stopped, or (without a descriptor) asks anew;
 * `post(request id, invocation id, body, content type, descriptor, received)` does the same for an answer, and
 * `refused(status, body)` is told of an answer that Lambda did not want. */
#include "loop.h"

#include "http.h"

#include <stdio.h>
#include <string.h>

#define VERSION "/2018-06-01/runtime"

struct server {
    PyObject *answer, *fall_back, *post, *refused;
    const char *address;
    struct connection connection;
    char next[512];
    char head[4096];
};

static struct server server; /* in zeroed memory of its own: one loop a process */

static PyObject *string_of(struct text text)
{
    return PyUnicode_DecodeUTF8(text.start ? text.start : "", (Py_ssize_t)text.length, "replace");
}

static PyObject *milliseconds(struct text text)
{
    long long value = 0;
    if (text.length >= 19)
        return PyLong_FromLong(0);
    for (size_t i = 0; i < text.length; i++) {
        if (text.start[i] < '0' || text.start[i] > '9')
            return PyLong_FromLong(0);
        value = value * 10 + (text.start[i] - '0');
    }
    return PyLong_FromLongLong(value);
}

enum { ARGUMENTS = 10 };

/* Call `answer`; its result, or NULL with an exception set. */
static PyObject *call_answer(const struct response *event, PyObject **request_id, PyObject **invocation_id)
{
    PyObject *arguments[ARGUMENTS] = {
        string_of(event->request_id),
        milliseconds(event->deadline),
        string_of(event->arn),
        string_of(event->trace_id),
        string_of(event->client_context),
        string_of(event->identity),
        string_of(event->tenant_id),
        string_of(event->invocation_id),
        string_of(event->content_type),
        Py_NewRef(event->body),
    };
    PyObject *result = NULL;
    int whole = 1;
    for (int i = 0; i < ARGUMENTS; i++)
        whole = whole && arguments[i];
    if (whole)
        result = PyObject_Vectorcall(server.answer, arguments, ARGUMENTS, NULL);
    *request_id = Py_XNewRef(arguments[0]);
    *invocation_id = Py_XNewRef(arguments[7]);
    for (int i = 0; i < ARGUMENTS; i++)
        Py_XDECREF(arguments[i]);
    return result;
}

static int keep(PyObject *result)
{
    Py_XDECREF(result);
    return result != NULL;
}

/* Hand the connection, if there is one, and what was received over it to Python, which closes it. */
static int give_away(PyObject *to, PyObject *first, PyObject *second, PyObject *third, PyObject *fourth)
{
    struct connection *connection = &server.connection;
    int descriptor = connection->socket;
    Py_ssize_t length = descriptor < 0 ? 0 : (Py_ssize_t)connection->length;
    PyObject *result = first ? PyObject_CallFunction(to, "OOOOiy#", first, second, third, fourth, descriptor, connection->buffer, length)
                             : PyObject_CallFunction(to, "iy#", descriptor, connection->buffer, length);
    connection->socket = -1;
    connection->length = 0;
    return keep(result);
}

static int post_answer(PyObject *request_id, PyObject *invocation_id, PyObject *answer)
{
    PyObject *body, *content_type;
    if (!PyArg_ParseTuple(answer, "SU", &body, &content_type))
        return 0;
    const char *id = PyUnicode_AsUTF8(request_id), *invocation = PyUnicode_AsUTF8(invocation_id);
    const char *type = PyUnicode_AsUTF8(content_type);
    if (!id || !invocation || !type)
        return 0;
    int length = snprintf(server.head, sizeof server.head,
                          "POST " VERSION "/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nUser-Agent: pyl\r\n"
                          "Content-Type: %s\r\n%s%s%sContent-Length: %zd\r\n\r\n",
                          id, server.address, type, *invocation ? "Lambda-Runtime-Invocation-Id: " : "", invocation,
                          *invocation ? "\r\n" : "", PyBytes_GET_SIZE(body));
    if (length < 0 || (size_t)length >= sizeof server.head) {
        http_close(&server.connection);
        return give_away(server.post, request_id, invocation_id, body, content_type);
    }
    struct response response;
    struct text head = {server.head, (size_t)length};
    struct text bytes = {PyBytes_AS_STRING(body), (size_t)PyBytes_GET_SIZE(body)};
    enum outcome outcome = http_call(&server.connection, head, bytes, 0, &response);
    if (outcome == RAISED)
        return 0;
    if (outcome != DONE)
        return give_away(server.post, request_id, invocation_id, body, content_type);
    if (!response.keep_alive)
        http_close(&server.connection);
    int good = 1;
    if (response.status >= 300)
        good = keep(PyObject_CallFunction(server.refused, "OiO", request_id, response.status, response.body));
    Py_DECREF(response.body);
    return good;
}

static int serve_one(void)
{
    struct response event;
    struct text nothing = {"", 0}, next = {server.next, strlen(server.next)};
    enum outcome outcome = http_call(&server.connection, next, nothing, 1, &event);
    if (outcome == RAISED)
        return 0;
    if (outcome != DONE)
        return give_away(server.fall_back, NULL, NULL, NULL, NULL);
    if (!event.keep_alive)
        http_close(&server.connection);
    PyObject *request_id, *invocation_id;
    PyObject *answer = call_answer(&event, &request_id, &invocation_id);
    Py_DECREF(event.body);
    int good = answer && (answer == Py_None || post_answer(request_id, invocation_id, answer));
    Py_XDECREF(answer);
    Py_XDECREF(request_id);
    Py_XDECREF(invocation_id);
    return good;
}

PyObject *pyl_disconnect(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    http_close(&server.connection);
    Py_RETURN_NONE;
}

PyObject *pyl_serve(PyObject *module, PyObject *arguments)
{
    (void)module;
    if (!PyArg_ParseTuple(arguments, "sOOOO", &server.address, &server.answer, &server.fall_back, &server.post, &server.refused))
        return NULL;
    int length = snprintf(server.next, sizeof server.next,
                          "GET " VERSION "/invocation/next HTTP/1.1\r\nHost: %s\r\nUser-Agent: pyl\r\n\r\n", server.address);
    if (length < 0 || (size_t)length >= sizeof server.next || !http_address(&server.connection, server.address))
        Py_RETURN_NONE; /* a name, or IPv6: Python's client knows them */
    while (serve_one())
        ;
    http_close(&server.connection);
    return NULL;
}
