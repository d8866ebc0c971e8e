/* The C library's heap at capture: what is freed is wiped. It is useless in the image, and would be a difference
 * between two captures that nobody can see. */
#ifndef PYL_WIPING_H
#define PYL_WIPING_H

/* Begin to wipe what is freed, or end it. */
void wipe_freed(int is_on);

#endif
