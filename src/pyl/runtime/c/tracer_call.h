/* Asks the capture's tracer; capture.h lists what for. */
#ifndef PYL_TRACER_CALL_H
#define PYL_TRACER_CALL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Make a request of capture.h to the tracer; -EINVAL where there is none. */
long call_tracer(long operation, const void *address, long length);

/* is_captured(): is this process being captured? */
PyObject *pyl_is_captured(PyObject *module, PyObject *unused);

/* report(text): hand a JSON text, bytes, to the build. */
PyObject *pyl_report(PyObject *module, PyObject *text);

#endif
