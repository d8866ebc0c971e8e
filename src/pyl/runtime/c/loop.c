/* See loop.h. */
#include "loop.h"

#include "call.h"
#include "plan.h"

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

static int release_result(PyObject *result)
{
    Py_XDECREF(result);
    return result != NULL;
}

/* Hand over the connection, if there is one, and what was received over it; who takes it closes it. */
static int hand_over(int field, const char *format, ...)
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
    int is_done = arguments && release_result(PyObject_CallObject(plan_field(server.plan, field), arguments));
    Py_XDECREF(first);
    Py_XDECREF(last);
    Py_XDECREF(arguments);
    return is_done;
}

static int hand_over_answer(struct text id, struct text invocation, const struct answer *answer)
{
    PyObject *request_id = decode_text(id), *invocation_id = decode_text(invocation);
    int is_done = request_id && invocation_id &&
                  hand_over(CALL_post_again, "(OOy#s)", request_id, invocation_id, answer->body.start,
                            (Py_ssize_t)answer->body.length, answer->content_type);
    Py_XDECREF(request_id);
    Py_XDECREF(invocation_id);
    return is_done;
}

static int report_refusal(struct text id, const struct response *response)
{
    PyObject *request_id = decode_text(id);
    int is_done = request_id && release_result(PyObject_CallFunction(plan_field(server.plan, CALL_refused), "OiO",
                                                                     request_id, response->status, response->body));
    Py_XDECREF(request_id);
    return is_done;
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
        return hand_over_answer(id, invocation, answer);
    }
    /* The event's texts are where the next response will be; these stay. */
    struct text head = {server.head, (size_t)length}, own_id = {server.head + sizeof POST_START - 1, id.length};
    struct text own_invocation = {server.head + length - 4 - invocation.length, invocation.length};
    struct response response;
    enum outcome outcome = http_call(&server.connection, head, answer->body, 0, &response);
    if (outcome == RAISED)
        return 0;
    if (outcome != DONE)
        return hand_over_answer(own_id, own_invocation, answer);
    if (!response.keep_alive)
        http_close(&server.connection);
    int is_done = response.status < 300 || report_refusal(own_id, &response);
    Py_DECREF(response.body);
    return is_done;
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
        return hand_over(CALL_fall_back, "()");
    if (!event.keep_alive)
        http_close(&server.connection);
    int is_done = call_handler(&event, &answer);
    if (is_done && answer.content_type)
        is_done = post_answer(&event, &answer);
    call_clear(&answer);
    Py_DECREF(event.body);
    return is_done;
}

PyObject *pyl_disconnect(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    http_close(&server.connection);
    Py_RETURN_NONE;
}

int loop_accepts(const char *address)
{
    int length = snprintf(server.next, sizeof server.next,
                          "GET " VERSION "/invocation/next HTTP/1.1\r\nHost: %s\r\nUser-Agent: pyl\r\n\r\n", address);
    return length > 0 && (size_t)length < sizeof server.next && http_address(&server.connection, address);
}

PyObject *loop_serve(const char *address, PyObject *plan)
{
    if (!loop_accepts(address))
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
