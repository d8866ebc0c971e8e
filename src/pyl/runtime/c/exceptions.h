/* What both the loop and a call do with exceptions. */
#ifndef PYL_EXCEPTIONS_H
#define PYL_EXCEPTIONS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Take the exception that is set, with its traceback: returns a new reference, and none is set any more. */
PyObject *take_exception(void);

#endif
