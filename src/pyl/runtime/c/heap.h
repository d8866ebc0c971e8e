/* Python's small objects, placed so that a restored process touches few pages of its image. */
#ifndef PYL_HEAP_H
#define PYL_HEAP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* From here on, allocations are counted anew, under this name: what the program is doing. */
PyObject *pyl_heap_phase(PyObject *module, PyObject *name);

/* From here on, new objects are kept apart from those that exist. */
void heap_settle(void);

#endif
