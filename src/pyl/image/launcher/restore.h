/* Bringing the process image back. */
#ifndef PYL_RESTORE_H
#define PYL_RESTORE_H

#include "launcher.h"

/* Continue the image at `path`; returns only when there is none, when no guard set of it holds, or when a limit of the
 * process leaves no room for it. */
void restore(struct start *start, const char *path);

#endif
