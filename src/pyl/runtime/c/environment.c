/* See environment.h. */
#include "environment.h"

#include <stdlib.h>
#include <string.h>

#define TRACE "_X_AMZN_TRACE_ID"
enum { NAME = sizeof TRACE - 1, LONGEST_TRACE = 1024, ROOM = 256 };

extern char **environ;

/* `setenv` would keep every trace id for ever, and begin with a copy of the environment; this entry is written over. */
static char trace_entry[NAME + 1 + LONGEST_TRACE + 1] = TRACE "=";
static char *room[ROOM];

static PyObject *make_dict(char **entries)
{
    PyObject *data = PyDict_New();
    for (; data && *entries; entries++) {
        const char *separator = strchr(*entries, '=');
        if (!separator)
            continue;
        PyObject *name = PyBytes_FromStringAndSize(*entries, separator - *entries);
        PyObject *value = PyBytes_FromString(separator + 1);
        if (!name || !value || !PyDict_SetDefault(data, name, value)) /* of two with one name the first counts */
            Py_CLEAR(data);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return data;
}

/* The entries with room for one more, where that is possible without an allocation. */
static char **move_to_room(char **entries)
{
    size_t count = 0;
    while (entries[count])
        count++;
    if (count + 2 > ROOM)
        return entries;
    memcpy(room, entries, (count + 1) * sizeof *entries);
    return room;
}

/* What the interpreter itself sets where the locale is "C" and nothing says otherwise (PEP 538). */
static char locale_entry[] = "LC_CTYPE=C.UTF-8";
static int is_locale_coerced;

static void add_coerced_locale(void)
{
    size_t count = 0;
    while (environ[count])
        count++;
    if (environ != room || count + 2 > ROOM || getenv("LC_CTYPE"))
        return;
    room[count] = locale_entry;
    room[count + 1] = NULL;
}

int environment_adopt(char **entries, PyObject *environ_object, PyObject *environb_object)
{
    environ = move_to_room(entries);
    if (is_locale_coerced)
        add_coerced_locale();
    PyObject *data = make_dict(environ);
    if (!data)
        return 0;
    PyObject *former = PyObject_GetAttrString(environ_object, "_data"); /* never given back */
    int is_adopted = former && !PyObject_SetAttrString(environ_object, "_data", data) &&
                     !PyObject_SetAttrString(environb_object, "_data", data);
    Py_DECREF(data);
    return is_adopted;
}

/* Put the entry into the C library's environment; 0 if it has no room. */
static int put_trace_entry(void)
{
    char **entry = environ;
    if (!entry)
        return 0;
    for (; *entry; entry++)
        if (*entry == trace_entry || !strncmp(*entry, TRACE "=", NAME + 1)) {
            *entry = trace_entry;
            return 1;
        }
    size_t count = (size_t)(entry - environ);
    if (count + 2 > ROOM)
        return 0;
    if (environ != room)
        environ = move_to_room(environ);
    room[count] = trace_entry;
    room[count + 1] = NULL;
    return 1;
}

static int set_in_dict(const char *text, size_t length, PyObject *data)
{
    static PyObject *name;
    if (!name && !(name = PyBytes_FromString(TRACE)))
        return 0;
    if (!length) {
        int there = PyDict_Contains(data, name);
        return there > 0 ? !PyDict_DelItem(data, name) : !there;
    }
    PyObject *value = PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
    int is_set = value && !PyDict_SetItem(data, name, value);
    Py_XDECREF(value);
    return is_set;
}

int environment_set_trace(const char *text, size_t length, PyObject *data)
{
    if (!length) {
        if (getenv(TRACE))
            unsetenv(TRACE);
    } else if (length <= LONGEST_TRACE && put_trace_entry()) {
        memcpy(trace_entry + NAME + 1, text, length);
        trace_entry[NAME + 1 + length] = 0;
    } else {
        char *copy = strndup(text, length);
        int set = copy && !setenv(TRACE, copy, 1);
        free(copy);
        if (!set) {
            PyErr_NoMemory();
            return 0;
        }
    }
    return set_in_dict(text, length, data);
}

PyObject *pyl_set_trace_id(PyObject *module, PyObject *arguments)
{
    const char *text;
    Py_ssize_t length;
    PyObject *data;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y#O!", &text, &length, &PyDict_Type, &data) ||
        !environment_set_trace(text, (size_t)length, data))
        return NULL;
    if (!length) /* an image would keep what the entry held */
        memset(trace_entry + NAME + 1, 0, LONGEST_TRACE);
    Py_RETURN_NONE;
}

static char *first_string, *last_string_end;

void environment_remember_strings(void)
{
    for (char **entry = environ; entry && *entry; entry++) {
        char *end = *entry + strlen(*entry) + 1;
        first_string = !first_string || *entry < first_string ? *entry : first_string;
        last_string_end = end > last_string_end ? end : last_string_end;
    }
}

static char time_zone[256];
static int has_time_zone;

void environment_remember_time_zone(void)
{
    const char *now = getenv("TZ");
    has_time_zone = now != NULL;
    strncpy(time_zone, now ? now : "", sizeof time_zone - 1);
}

int environment_has_other_time_zone(void)
{
    const char *now = getenv("TZ");
    return (now != NULL) != has_time_zone || (now && strcmp(now, time_zone));
}

void environment_remember_locale(void)
{
    const char *value = getenv("LC_CTYPE");
    int is_given = value && value >= first_string && value < last_string_end;
    is_locale_coerced = value && !is_given && !strcmp(value, strchr(locale_entry, '=') + 1);
}

void environment_wipe(void)
{
    for (char **entry = environ; entry && *entry; entry++)
        memset(*entry, 0, strlen(*entry));
    if (first_string) /* also of variables that were unset */
        memset(first_string, 0, (size_t)(last_string_end - first_string));
}

PyObject *pyl_c_environment(PyObject *module, PyObject *unused)
{
    PyObject *entries = PyDict_New();
    (void)module, (void)unused;
    for (char **entry = environ; entries && entry && *entry; entry++) {
        const char *separator = strchr(*entry, '=');
        if (!separator)
            continue;
        PyObject *name = PyUnicode_DecodeFSDefaultAndSize(*entry, separator - *entry);
        PyObject *value = PyUnicode_DecodeFSDefault(separator + 1);
        if (!name || !value || PyDict_SetItem(entries, name, value))
            Py_CLEAR(entries);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return entries;
}
