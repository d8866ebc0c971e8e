/* Where a captured process stops, and where a restored one goes on. */
#ifndef PYL_SNAPSHOT_H
#define PYL_SNAPSHOT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* snapshot(kind, plan): have this process stored. Returns in a restored process, and only if Python has to go on. */
PyObject *pyl_snapshot(PyObject *module, PyObject *arguments);

#endif
