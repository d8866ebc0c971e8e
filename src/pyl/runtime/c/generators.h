/* Random generators of C libraries that can be told to seed themselves anew. */
#ifndef PYL_GENERATORS_H
#define PYL_GENERATORS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* renew_generators(): before an image is taken, so that each restored process seeds its own. */
PyObject *pyl_renew_generators(PyObject *module, PyObject *unused);

#endif
