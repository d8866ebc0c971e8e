/* What a restored process does before it serves. */
#ifndef PYL_RESUME_H
#define PYL_RESUME_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* What of the environment is compared with that of the build has to be remembered before the image is taken. */
void resume_remember(void);

/* Take over the environment, mend what the plan names, and serve the function that `_HANDLER` names, if it is one of the
 * plan's. None when Python has to mend and serve, NULL with an exception set when the process has to end. */
PyObject *resume(char **entries, PyObject *plan);

#endif
