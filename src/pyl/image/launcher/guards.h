/* The conditions under which an image may be used: the environment is that of the build. */
#ifndef PYL_GUARDS_H
#define PYL_GUARDS_H

#include "image.h"
#include "launcher.h"

/* The first guard of the variant that does not hold, or NULL. */
const struct image_guard *find_failing_guard(const struct start *start, const struct image_header *header,
                                             const struct image_variant *variant);

/* Log which guard failed, what to do about it, and what starts `instead`. */
void log_failing_guard(const struct start *start, const struct image_header *header, const struct image_guard *guard,
                       const char *instead);

#endif
