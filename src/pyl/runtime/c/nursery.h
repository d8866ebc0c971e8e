/* Where a restored process puts its small objects: close together, away from those of the image. */
#ifndef PYL_NURSERY_H
#define PYL_NURSERY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *pyl_install_nursery(PyObject *module, PyObject *unused);

#endif
