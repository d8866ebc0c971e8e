/* The environment of a restored process, and the one variable that changes with every invocation. */
#ifndef PYL_ENVIRONMENT_H
#define PYL_ENVIRONMENT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Let `entries` be the C library's environment, and `os.environ` (and `environb`) show it; 0 with an exception set.
 * What `os.environ` held is kept in memory: to free it would write to pages all over the image. */
int environment_adopt(char **entries, PyObject *environ_object, PyObject *environb_object);

/* Let `_X_AMZN_TRACE_ID` be this text, or be unset when it is empty, in the C library's environment and in `data`,
 * the dict behind `os.environ`; 0 with an exception set. */
int environment_set_trace(const char *text, size_t length, PyObject *data);

/* set_trace_id(text, data): the same, for warm-up calls; bytes, and the dict behind `os.environ`. */
PyObject *pyl_set_trace_id(PyObject *module, PyObject *arguments);

/* At capture, before any variable is changed: remember where the strings are that the program was started with. */
void environment_remember_strings(void);

/* Likewise: remember the time zone. What the import makes of it is in memory, or done again after a restore. */
void environment_remember_time_zone(void);

/* In a restored process: was it started with another time zone than the captured one? */
int environment_has_other_time_zone(void);

/* Before an image is taken: remember whether the interpreter has set LC_CTYPE, as it does in each plain start. */
void environment_remember_locale(void);

/* Before an image is taken: wipe all values, which a restored process does not need. */
void environment_wipe(void);

/* c_environment(): the C library's environment, name to value. */
PyObject *pyl_c_environment(PyObject *module, PyObject *unused);

#endif
