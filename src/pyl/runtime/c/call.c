/* See call.h. */
#include "call.h"

#include "environment.h"
#include "exceptions.h"
#include "json.h"
#include "plan.h"

#include <string.h>
#include <strings.h>

#define JSON_TYPE "application/json"

static PyObject *plan, *environment_data, *request_id_name, *tenant_id_name, *flush_name, *await_name, *dictionary_name;
static PyObject *field_names[5]; /* of a context, in the order of `read_fields` */
static struct output output;

#define FIELD(name) plan_field(plan, CALL_##name)

PyObject *decode_text(struct text text)
{
    return PyUnicode_DecodeUTF8(text.start ? text.start : "", (Py_ssize_t)text.length, "replace");
}

static PyObject *decode_text_or_none(struct text text) { return text.length ? decode_text(text) : Py_NewRef(Py_None); }

static PyObject *parse_milliseconds(struct text text)
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

static int intern(PyObject **name, const char *text)
{
    if (!*name)
        *name = PyUnicode_InternFromString(text);
    return *name != NULL;
}

/* The attributes of contexts that are variables of Lambda's, read once: they do not change. Or, so that an image does
 * not hold the capture's, set to None. */
static int fill_template(int is_read)
{
    PyObject *attribute, *variable, *template = FIELD(context_template);
    Py_ssize_t position = 0;
    while (PyDict_Next(FIELD(context_variables), &position, &attribute, &variable)) {
        const char *name = PyUnicode_AsUTF8(variable);
        const char *text = name && is_read ? getenv(name) : NULL;
        PyObject *value = text ? PyUnicode_DecodeFSDefault(text) : Py_NewRef(Py_None);
        int is_done = name && value && !PyDict_SetItem(template, attribute, value);
        Py_XDECREF(value);
        if (!is_done)
            return 0;
    }
    return 1;
}

int call_prepare(PyObject *new_plan)
{
    static const char *const names[] = {"aws_request_id", "deadline_ms", "invoked_function_arn", "trace_id",
                                        "tenant_id"};
    if (!PyTuple_Check(new_plan) || PyTuple_GET_SIZE(new_plan) != CALL_PLAN_LENGTH) {
        PyErr_SetString(PyExc_TypeError, "not a plan for the C loop");
        return 0;
    }
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (!intern(&field_names[i], names[i]))
            return 0;
    Py_XSETREF(plan, Py_NewRef(new_plan));
    Py_XSETREF(environment_data, PyObject_GetAttrString(FIELD(environ), "_data"));
    return environment_data && intern(&request_id_name, "request_id") && intern(&tenant_id_name, "tenant_id") &&
           intern(&flush_name, "flush") && intern(&await_name, "__await__") && intern(&dictionary_name, "__dict__") &&
           fill_template(1);
}

/* -- the event -------------------------------------------------------------------------------------- */

static int is_json(struct text content_type)
{
    const char *semicolon = content_type.length ? memchr(content_type.start, ';', content_type.length) : NULL;
    size_t length = semicolon ? (size_t)(semicolon - content_type.start) : content_type.length;
    while (length && (content_type.start[length - 1] == ' ' || content_type.start[length - 1] == '\t'))
        length--;
    return !length || (length == sizeof JSON_TYPE - 1 && !strncasecmp(content_type.start, JSON_TYPE, length));
}

static PyObject *decode_event(const struct response *event)
{
    if (FIELD(event_from_json) != Py_None)
        return PyObject_CallOneArg(FIELD(event_from_json), event->body);
    if (!is_json(event->content_type))
        return Py_NewRef(event->body);
    PyObject *value = json_decode(PyBytes_AS_STRING(event->body), (size_t)PyBytes_GET_SIZE(event->body));
    return value ? value : PyObject_CallOneArg(FIELD(decode), event->body);
}

/* -- the context ------------------------------------------------------------------------------------ */

struct fields {
    PyObject *request_id, *deadline, *arn, *trace_id, *tenant_id;
};

static int read_fields(const struct response *event, struct fields *fields)
{
    fields->request_id = decode_text(event->request_id);
    fields->deadline = parse_milliseconds(event->deadline);
    fields->arn = decode_text(event->arn);
    fields->trace_id = decode_text(event->trace_id);
    fields->tenant_id = decode_text_or_none(event->tenant_id);
    return fields->request_id && fields->deadline && fields->arn && fields->trace_id && fields->tenant_id;
}

static void clear_fields(struct fields *fields)
{
    Py_CLEAR(fields->request_id);
    Py_CLEAR(fields->deadline);
    Py_CLEAR(fields->arn);
    Py_CLEAR(fields->trace_id);
    Py_CLEAR(fields->tenant_id);
}

static PyObject *make_attributes(const struct fields *fields)
{
    PyObject *values[] = {fields->request_id, fields->deadline, fields->arn, fields->trace_id, fields->tenant_id};
    PyObject *attributes = PyDict_Copy(FIELD(context_template)), *identity = PyObject_CallNoArgs(FIELD(identity_type));
    int is_done = attributes && identity && !PyDict_SetItemString(attributes, "identity", identity);
    for (unsigned i = 0; is_done && i < sizeof values / sizeof *values; i++)
        is_done = !PyDict_SetItem(attributes, field_names[i], values[i]);
    Py_XDECREF(identity);
    if (!is_done)
        Py_CLEAR(attributes);
    return attributes;
}

static PyObject *make_context(const struct response *event, const struct fields *fields)
{
    if (event->client_context.length || event->identity.length) {
        PyObject *client = decode_text(event->client_context), *identity = decode_text(event->identity),
                 *context = NULL;
        if (client && identity)
            context =
                PyObject_CallFunctionObjArgs(FIELD(make_context), fields->request_id, fields->deadline, fields->arn,
                                             fields->trace_id, client, identity, fields->tenant_id, NULL);
        Py_XDECREF(client);
        Py_XDECREF(identity);
        return context;
    }
    static PyObject *nothing;
    if (!nothing && !(nothing = PyTuple_New(0)))
        return NULL;
    PyTypeObject *kind = (PyTypeObject *)FIELD(context_type);
    PyObject *context = kind->tp_new(kind, nothing, NULL), *attributes = make_attributes(fields);
    /* Not PyObject_GenericSetDict: in CPython 3.13 that leaves the values valid that an object has inside of it. */
    if (!context || !attributes || PyObject_SetAttr(context, dictionary_name, attributes))
        Py_CLEAR(context);
    Py_XDECREF(attributes);
    return context;
}

/* -- the answer ------------------------------------------------------------------------------------- */

/* Has a generator, a coroutine or an exception been returned, or anything else that is not plain data? */
static int encode_result(PyObject *result, struct answer *answer)
{
    if (!json_encode(result, &output))
        return 0;
    answer->body = (struct text){output.bytes, output.length};
    answer->content_type = JSON_TYPE;
    return 1;
}

/* Let Python make the answer: it waits for coroutines, knows every type, posts what goes wrong; 0 with an exception set
 * when the Runtime API is gone. */
static int finish(PyObject *result, const struct fields *fields, PyObject *invocation_id, struct answer *answer)
{
    PyObject *finished = PyObject_CallFunctionObjArgs(FIELD(finish), result, fields->request_id, invocation_id, NULL);
    if (!finished || finished == Py_None) {
        Py_XDECREF(finished);
        return finished != NULL;
    }
    PyObject *body;
    answer->owner = finished;
    if (!PyArg_ParseTuple(finished, "Ss", &body, &answer->content_type))
        return 0;
    answer->body = (struct text){PyBytes_AS_STRING(body), (size_t)PyBytes_GET_SIZE(body)};
    return 1;
}

static PyObject *call(const struct response *event, const struct fields *fields)
{
    PyObject *value = decode_event(event);
    PyObject *context = value ? make_context(event, fields) : NULL, *result = NULL;
    if (context) {
        int event_first = FIELD(event_first) == Py_True;
        PyObject *arguments[] = {event_first ? value : context, event_first ? context : value};
        result = PyObject_Vectorcall(FIELD(handler), arguments, 2, NULL);
    }
    Py_XDECREF(context);
    Py_XDECREF(value);
    return result;
}

/* Let everything written so far reach the log: after the response Lambda may freeze the process. */
static int flush(void)
{
    static const char *const names[] = {"stdout", "stderr"};
    for (int i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(names[i]); /* borrowed, replaced, or missing */
        if (!stream || stream == Py_None)
            continue;
        Py_INCREF(stream);
        PyObject *flushed = PyObject_CallMethodNoArgs(stream, flush_name);
        Py_DECREF(stream);
        Py_XDECREF(flushed);
        if (!flushed && !PyErr_ExceptionMatches(PyExc_Exception))
            return 0;
        PyErr_Clear();
    }
    return 1;
}

/* Post the exception that is set; 0 when it, or what came of posting it, ends the process. */
static int post_error(const struct fields *fields, PyObject *invocation_id)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception) || !fields->request_id || !invocation_id)
        return 0;
    PyObject *error = take_exception();
    PyObject *posted = PyObject_CallFunctionObjArgs(FIELD(post_error), error, fields->request_id, invocation_id, NULL);
    Py_XDECREF(error);
    Py_XDECREF(posted);
    return posted != NULL;
}

int call_handler(const struct response *event, struct answer *answer)
{
    struct fields fields = {0};
    PyObject *invocation_id = decode_text(event->invocation_id);
    memset(answer, 0, sizeof *answer);
    int is_done = invocation_id && read_fields(event, &fields) &&
                  !PyObject_SetAttr(FIELD(log_state), request_id_name, fields.request_id) &&
                  !PyObject_SetAttr(FIELD(log_state), tenant_id_name, fields.tenant_id) &&
                  environment_set_trace(event->trace_id.start, event->trace_id.length, environment_data);
    PyObject *result = is_done ? call(event, &fields) : NULL;
    if (!result)
        is_done = post_error(&fields, invocation_id);
    /* What is raised from here on is not the handler's doing: the process ends. */
    else if (!encode_result(result, answer))
        is_done = finish(result, &fields, invocation_id, answer);
    Py_XDECREF(result);
    if (is_done && answer->content_type)
        is_done = flush();
    clear_fields(&fields);
    Py_XDECREF(invocation_id);
    return is_done;
}

void call_clear(struct answer *answer)
{
    Py_CLEAR(answer->owner);
    answer->content_type = NULL;
    output_trim(&output);
}

PyObject *pyl_rehearse(PyObject *module, PyObject *rehearsed)
{
    struct response event = {.status = 200, .body = PyBytes_FromString("{}")};
    struct answer answer;
    (void)module;
    int is_done = event.body && call_prepare(rehearsed) && call_handler(&event, &answer);
    if (is_done)
        call_clear(&answer);
    Py_XDECREF(event.body);
    if (!is_done || !fill_template(0))
        return NULL;
    Py_RETURN_NONE;
}
