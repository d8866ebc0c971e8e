/* What the page cache holds of a file, and what it shall. */
#ifndef PYL_PAGE_CACHE_H
#define PYL_PAGE_CACHE_H

#include <stdint.h>

/* Is the page at `offset` in it? If not, the kernel may begin to read it. */
int is_cached(long file, uint64_t offset);

/* Let the kernel begin to read from `start` to `end`. */
void read_ahead(long file, uint64_t start, uint64_t end);

void forget_page(long file, uint64_t offset);

#endif
