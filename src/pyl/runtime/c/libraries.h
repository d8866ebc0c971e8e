/* What the C library's loader knows of the files that its libraries came from.
 *
 * It compares the device and the inode of a file that it is to load with those of all its libraries. Where an image is
 * restored, the numbers of the build stand for other files, which would be taken for libraries that they are not. */
#ifndef PYL_LIBRARIES_H
#define PYL_LIBRARIES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Find where the loader keeps these numbers, before any are forgotten; False where it does so as no known glibc does.
 */
PyObject *pyl_prepare_libraries(PyObject *module, PyObject *unused);

/* Have the loader know each library by its names alone: those that it was asked for by, and its path without links, `.`
 * and
 * `..`. 0 when nothing was prepared. Libraries that `dlmopen` keeps apart are not looked for. */
int libraries_forget_files(void);

#endif
