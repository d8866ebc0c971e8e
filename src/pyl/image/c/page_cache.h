/* What the page cache holds of a file, and what it shall. */
#ifndef PYL_PAGE_CACHE_H
#define PYL_PAGE_CACHE_H

#include <stdint.h>

/* Is the page at `offset` in it? If not, the kernel may begin to read it. */
int is_cached(long file, uint64_t offset);

/* A file that is read from a disk, ahead of its use. */
struct reading {
    long file, before;
    uint64_t end, mark;
};

/* Begin at the beginning; 0 when the page cache holds it. */
int begin_reading(struct reading *reading, long file);

/* Let the kernel read what lies between, as far as it does not do that yet. */
void read_on(struct reading *reading, uint64_t start, uint64_t end);

void forget_page(long file, uint64_t offset);

#endif
