/* Serving invocations: the Runtime API's HTTP in C, the handler in Python. */
#ifndef PYL_LOOP_H
#define PYL_LOOP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Is this an address for the client in C? Names and IPv6 are left to Python's client. */
int loop_accepts(const char *address);

/* Serve invocations with a call plan for ever. NULL with an exception set when that has to end, None
 * when the Runtime API's address is not one for the client in C. */
PyObject *loop_serve(const char *address, PyObject *plan);

PyObject *pyl_disconnect(PyObject *module, PyObject *unused);
PyObject *pyl_serve(PyObject *module, PyObject *arguments);

#endif
