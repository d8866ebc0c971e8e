/* Bringing the process image back. */
#ifndef PYL_RESTORE_H
#define PYL_RESTORE_H

#include "launcher.h"

/* Continue the image at `path`; returns only when there is none or when no guard set of it holds. */
void restore(struct start *start, const char *path);

#endif
