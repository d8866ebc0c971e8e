/* The header of a process image: it tells nothing before it has been checked. */
#ifndef PYL_HEADER_H
#define PYL_HEADER_H

#include "image.h"

/* The mapped header of the image `file`, which is whole, undamaged and of this version; NULL without memory for it. */
const struct image_header *read_header(char *const *environment, long file);

#endif
