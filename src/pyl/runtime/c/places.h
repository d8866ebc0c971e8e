/* Tells the capture's tracer which line of Python makes a system call. */
#ifndef PYL_PLACES_H
#define PYL_PLACES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* watch_places(on): answer the tracer's signal, or stop it. */
PyObject *pyl_watch_places(PyObject *module, PyObject *on);

#endif
