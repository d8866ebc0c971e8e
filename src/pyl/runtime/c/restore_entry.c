/* See restore_entry.h. All of it is C because it is done before every first answer: the same steps in Python touch a
 * hundred pages more. */
#include "restore_entry.h"

#include "environment.h"
#include "exceptions.h"
#include "fork_handlers.h"
#include "loop.h"
#include "plan.h"

#include <stdlib.h>
#include <string.h>

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

static int run_actions(PyObject *plan)
{
    PyObject *actions = plan_field(plan, RESTORE_actions);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(actions); i++)
        if (!run(PyTuple_GET_ITEM(actions, i), NULL)) {
            if (PyErr_ExceptionMatches(PyExc_Exception)) {
                PyObject *error = take_exception();
                run(plan_field(plan, RESTORE_fail), error);
                Py_XDECREF(error);
            }
            return 0;
        }
    return 1;
}

/* The plan of the function that `_HANDLER` names (`functions.<name>`), borrowed; NULL without an exception when there
 * is none. */
static PyObject *find_call_plan(PyObject *plans)
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

/* Where Lambda wants several processes, Python makes them before it actions each. */
static int is_one_of_several(void) { return getenv("AWS_LAMBDA_MAX_CONCURRENCY") != NULL; }

PyObject *enter_restored(char **entries, PyObject *plan)
{
    PyObject *environ_object = plan_field(plan, RESTORE_environ);
    if (!environment_adopt(entries, environ_object, plan_field(plan, RESTORE_environb)))
        return NULL;
    fork_handlers_run();
    if (environment_has_other_time_zone() && !run(plan_field(plan, RESTORE_reset_time_zone), NULL))
        return NULL;
    PyObject *function_plan = find_call_plan(plan_field(plan, RESTORE_call_plans));
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    if (!function_plan || !address || !loop_accepts(address) || is_one_of_several())
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    if (is_log_configured() && !run(plan_field(plan, RESTORE_configure_log), environ_object))
        return NULL;
    if (!run_actions(plan))
        return NULL;
    return loop_serve(address, function_plan);
}
