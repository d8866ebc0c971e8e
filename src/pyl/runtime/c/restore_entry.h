/* What a restored process does before it serves. */
#ifndef PYL_RESTORE_ENTRY_H
#define PYL_RESTORE_ENTRY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Take over the environment, run the plan's actions, and serve the function that `_HANDLER` names, if the plan has it.
 * None when Python has to run the actions and to serve, NULL with an exception set when the process has to end. */
PyObject *enter_restored(char **entries, PyObject *plan);

#endif
