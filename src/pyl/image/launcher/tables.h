/* Range checks of the tables of a process image: whatever they hold, the launcher stays inside the image's memory. */
#ifndef PYL_TABLES_H
#define PYL_TABLES_H

#include "image.h"

/* Refuse a header whose tables of variants and files, or one of the files' paths, lie outside. */
void check_header_tables(char *const *environment, const struct image_header *header);

/* Refuse a variant whose guards lie outside, or are of no known kind. */
void check_guards(char *const *environment, const struct image_header *header, const struct image_variant *variant);

/* Refuse a variant of which anything else lies outside of the header, the files, or the memory that it maps. */
void check_variant(char *const *environment, const struct image_header *header, const struct image_variant *variant);

#endif
