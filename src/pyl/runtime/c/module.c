/* `pyl.runtime._native`: the part of a native package's runtime that is C. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "call.h"
#include "capture.h"
#include "environment.h"
#include "generators.h"
#include "heap.h"
#include "json.h"
#include "libraries.h"
#include "loop.h"
#include "places.h"
#include "plan.h"
#include "snapshot.h"
#include "tracer_call.h"

#define WITH_KEYWORDS(function) (PyCFunction)(void (*)(void))(function)

static PyMethodDef methods[] = {
    {"is_captured", pyl_is_captured, METH_NOARGS, "Tell whether this process is being captured."},
    {"report", pyl_report, METH_O, "Hand a JSON text to the build."},
    {"prepare_libraries", pyl_prepare_libraries, METH_NOARGS,
     "Tell whether snapshot() can make the loader forget files."},
    {"snapshot", pyl_snapshot, METH_VARARGS,
     "snapshot(kind, plan): have this process stored. Returns in a restored process, and only if Python has to go on."},
    {"set_phase", pyl_heap_phase, METH_O, "Name what the program does now; later captures know objects by it."},
    {"watch_places", pyl_watch_places, METH_O,
     "Let the tracer ask which line of Python runs, until called with False."},
    {"c_environment", pyl_c_environment, METH_NOARGS, "Return the variables that children inherit."},
    {"set_trace_id", pyl_set_trace_id, METH_VARARGS, "set_trace_id(text, data): set `_X_AMZN_TRACE_ID`, or delete it."},
    {"renew_generators", pyl_renew_generators, METH_NOARGS, "Let C libraries seed their random generators anew."},
    {"call_plan", WITH_KEYWORDS(pyl_call_plan), METH_VARARGS | METH_KEYWORDS, "Make the plan for serve()."},
    {"restore_plan", WITH_KEYWORDS(pyl_restore_plan), METH_VARARGS | METH_KEYWORDS, "Make the plan for snapshot()."},
    {"disconnect", pyl_disconnect, METH_NOARGS, "Close the connection of serve(), which will open another."},
    {"serve", pyl_serve, METH_VARARGS, "serve(address, plan): serve invocations for ever."},
    {"rehearse", pyl_rehearse, METH_O, "rehearse(plan): answer an empty event that nobody sent."},
    {"decode", pyl_decode, METH_O, "Return the value of a JSON document, or NotImplemented."},
    {"encode", pyl_encode, METH_O, "Return a value as JSON, or NotImplemented."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

/* What Python needs of capture.h. */
static int add_constants(PyObject *module)
{
    return PyModule_AddIntConstant(module, "BASE", PYL_BASE) || PyModule_AddIntConstant(module, "FULL", PYL_FULL) ||
           PyModule_AddStringConstant(module, "WARM_UP_VARIABLE", PYL_WARM_UP_VARIABLE) ||
           PyModule_AddStringConstant(module, "CONFIGURED_VARIABLE", PYL_CONFIGURED_VARIABLE) ||
           PyModule_AddStringConstant(module, "FUNCTIONS_VARIABLE", PYL_FUNCTIONS_VARIABLE) ||
           PyModule_AddStringConstant(module, "REHEARSAL", PYL_REHEARSAL);
}

PyMODINIT_FUNC PyInit__native(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && add_constants(module))
        Py_CLEAR(module);
    return module;
}
