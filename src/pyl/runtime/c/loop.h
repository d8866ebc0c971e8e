/* Serving invocations: the Runtime API's HTTP in C, the handler in Python. */
#ifndef PYL_LOOP_H
#define PYL_LOOP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *pyl_disconnect(PyObject *module, PyObject *unused);
PyObject *pyl_serve(PyObject *module, PyObject *arguments);

#endif
