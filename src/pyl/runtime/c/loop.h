/* Serving invocations: the Runtime API's HTTP in C, the handler in Python. */
#ifndef PYL_LOOP_H
#define PYL_LOOP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Is this an address for the client in C? A name, or IPv6, is one for Python's. */
int loop_takes(const char *address);

/* Serve invocations with a plan (`NativeServer.plan`) for ever. NULL with an exception set when that has to end, None
 * when the Runtime API's address is not one for the client in C. */
PyObject *loop_serve(const char *address, PyObject *plan);

PyObject *pyl_disconnect(PyObject *module, PyObject *unused);
PyObject *pyl_serve(PyObject *module, PyObject *arguments);

/* The exception that is set, with its traceback, as a new reference; none is set any more. */
PyObject *take_exception(void);

#endif
