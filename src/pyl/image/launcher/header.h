/* The header of a process image: it tells nothing before it has been checked. */
#ifndef PYL_HEADER_H
#define PYL_HEADER_H

#include "image.h"

/* The mapped header of the image `file`, which is whole, undamaged and of this version. */
const struct image_header *read_header(char *const *environment, long file);

/* Refuse a variant whose tables, or whose part of the file, lie outside. */
void check_tables(char *const *environment, const struct image_header *header, const struct image_variant *variant);

#endif
