/* What must hold before an image is continued: that the processor suffices, and that the environment is the build's. */
#ifndef PYL_GUARDS_H
#define PYL_GUARDS_H

#include "image.h"
#include "launcher.h"

int processor_holds(void);

/* The first guard of the variant that does not hold, or NULL. */
const struct image_guard *failing_guard(const struct start *started, const struct image_header *header,
                                        const struct image_variant *variant);

/* Log which guard failed, what to do about it, and what starts `instead`. */
void say_guard(const struct start *started, const struct image_header *header, const struct image_guard *guard,
               const char *instead);

#endif
