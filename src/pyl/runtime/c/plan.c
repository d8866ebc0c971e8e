/* See plan.h. */
#include "plan.h"

#define FIELD_NAME(name) #name,

static const char *const call_fields[] = {CALL_PLAN(FIELD_NAME)};
static const char *const restore_fields[] = {RESTORE_PLAN(FIELD_NAME)};

static PyObject *make_plan(const char *const *names, Py_ssize_t count, PyObject *arguments, PyObject *fields)
{
    if (PyTuple_GET_SIZE(arguments) || !fields || PyDict_GET_SIZE(fields) != count) {
        PyErr_Format(PyExc_TypeError, "a plan takes its %zd fields, by name", count);
        return NULL;
    }
    PyObject *plan = PyTuple_New(count);
    for (Py_ssize_t i = 0; plan && i < count; i++) {
        PyObject *value = PyDict_GetItemString(fields, names[i]);
        if (!value) {
            PyErr_Format(PyExc_TypeError, "the plan lacks %s", names[i]);
            Py_DECREF(plan);
            return NULL;
        }
        PyTuple_SET_ITEM(plan, i, Py_NewRef(value));
    }
    return plan;
}

PyObject *pyl_call_plan(PyObject *module, PyObject *arguments, PyObject *fields)
{
    (void)module;
    return make_plan(call_fields, CALL_PLAN_LENGTH, arguments, fields);
}

PyObject *pyl_restore_plan(PyObject *module, PyObject *arguments, PyObject *fields)
{
    (void)module;
    return make_plan(restore_fields, RESTORE_PLAN_LENGTH, arguments, fields);
}
