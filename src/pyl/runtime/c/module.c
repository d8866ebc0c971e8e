/* `pyl.runtime._native`: what the runtime of a native package has in C. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "call.h"
#include "heap.h"
#include "json.h"
#include "libraries.h"
#include "loop.h"
#include "stop.h"

static PyMethodDef methods[] = {
    {"ask", pyl_ask, METH_NOARGS, "Is this process being captured?"},
    {"tell", pyl_tell, METH_O, "Hand bytes to the capture."},
    {"prepare_libraries", pyl_prepare_libraries, METH_NOARGS, "Can stop() make the loader forget the build's files?"},
    {"stop", pyl_stop, METH_VARARGS,
     "stop(kind, plan): stop for the capture; returns in a restored process only, and only when Python has to go on."},
    {"phase", pyl_heap_phase, METH_O, "Say what the program does now; objects are known again by it in the next capture."},
    {"disconnect", pyl_disconnect, METH_NOARGS, "Close the connection of serve(), which will open another."},
    {"serve", pyl_serve, METH_VARARGS, "serve(address, plan): serve invocations for ever."},
    {"rehearse", pyl_rehearse, METH_O, "rehearse(plan): answer an empty event that nobody sent."},
    {"decode", pyl_decode, METH_O, "The value of a JSON document, or NotImplemented."},
    {"encode", pyl_encode, METH_O, "A value as JSON, or NotImplemented."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModule_Create(&definition); }
