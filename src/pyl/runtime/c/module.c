/* `pyl.runtime._native`: what the runtime of a native package has in C. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "stop.h"

static PyMethodDef methods[] = {
    {"ask", pyl_ask, METH_NOARGS, "Is this process being captured?"},
    {"tell", pyl_tell, METH_O, "Hand bytes to the capture."},
    {"stop", pyl_stop, METH_O, "Stop for the capture; returns in a restored process only: (kind, environment)."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModule_Create(&definition); }
