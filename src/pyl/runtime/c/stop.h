/* Where a captured process stops, and where a restored one goes on. */
#ifndef PYL_STOP_H
#define PYL_STOP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Ask the capture's tracer for one of capture.h's operations; -EINVAL where there is none. */
long ask_tracer(long operation, const void *address, long length);

PyObject *pyl_ask(PyObject *module, PyObject *unused);
PyObject *pyl_tell(PyObject *module, PyObject *text);
PyObject *pyl_stop(PyObject *module, PyObject *arguments);

#endif
