/* See resume.h. All of it is C because it is done before every first answer: Python's way through the same steps
 * touches a hundred pages more. */
#include "resume.h"

#include "environment.h"
#include "loop.h"

#include <stdlib.h>
#include <string.h>

/* What `image._plan` returns, in its order. */
enum {
    ENVIRON,
    ENVIRONB,
    SET_TIME_ZONE, /* (): called when TZ is another one */
    MENDS,         /* a tuple of (): files, random sources, hooks. Python mends where it serves */
    FAIL,          /* (exception): ends the process when one of these raised it */
    CONFIGURE,     /* (environ): called when Lambda configures the log */
    PLANS,         /* function name to its plan for the C loop */
    PLAN_LENGTH,
};

static char time_zone[256];
static int has_time_zone;

void resume_remember(void)
{
    const char *now = getenv("TZ");
    has_time_zone = now != NULL;
    strncpy(time_zone, now ? now : "", sizeof time_zone - 1);
}

static int is_other_time_zone(void)
{
    const char *now = getenv("TZ");
    return (now != NULL) != has_time_zone || (now && strcmp(now, time_zone));
}

static int is_log_configured(void)
{
    return getenv("AWS_LAMBDA_LOG_FORMAT") || getenv("AWS_LAMBDA_LOG_LEVEL") || getenv("_LAMBDA_TELEMETRY_LOG_FD");
}

static int run(PyObject *callable, PyObject *argument)
{
    PyObject *result = argument ? PyObject_CallOneArg(callable, argument) : PyObject_CallNoArgs(callable);
    Py_XDECREF(result);
    return result != NULL;
}

static int mend(PyObject *plan)
{
    PyObject *mends = PyTuple_GET_ITEM(plan, MENDS);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mends); i++)
        if (!run(PyTuple_GET_ITEM(mends, i), NULL)) {
            if (PyErr_ExceptionMatches(PyExc_Exception)) {
                PyObject *error = take_exception();
                run(PyTuple_GET_ITEM(plan, FAIL), error);
                Py_XDECREF(error);
            }
            return 0;
        }
    return 1;
}

/* The plan of the function that `_HANDLER` names (`functions.<name>`), borrowed; NULL without an exception when there is none. */
static PyObject *chosen(PyObject *plans)
{
    const char *handler = getenv("_HANDLER");
    const char *dot = handler ? strrchr(handler, '.') : NULL;
    if (!dot || dot == handler)
        return NULL;
    PyObject *name = PyUnicode_DecodeFSDefault(dot + 1);
    PyObject *plan = name ? PyDict_GetItemWithError(plans, name) : NULL;
    Py_XDECREF(name);
    return plan;
}

/* Where Lambda wants several processes, Python makes them before it mends each. */
static int is_one_of_several(void) { return getenv("AWS_LAMBDA_MAX_CONCURRENCY") != NULL; }

PyObject *resume(char **entries, PyObject *plan)
{
    PyObject *environ_object = PyTuple_GET_ITEM(plan, ENVIRON);
    if (!environment_adopt(entries, environ_object, PyTuple_GET_ITEM(plan, ENVIRONB)))
        return NULL;
    if (is_other_time_zone() && !run(PyTuple_GET_ITEM(plan, SET_TIME_ZONE), NULL))
        return NULL;
    PyObject *function_plan = chosen(PyTuple_GET_ITEM(plan, PLANS));
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    if (!function_plan || !address || !loop_takes(address) || is_one_of_several())
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    if (is_log_configured() && !run(PyTuple_GET_ITEM(plan, CONFIGURE), environ_object))
        return NULL;
    if (!mend(plan))
        return NULL;
    return loop_serve(address, function_plan);
}
