/* Query and prefetch a file's pages in the kernel page cache. */
#ifndef PYL_PAGE_CACHE_H
#define PYL_PAGE_CACHE_H

#include <stdint.h>

/* Is the page at `offset` cached? If not, the kernel may begin to read it. */
int is_cached(long file, uint64_t offset);

/* A file that the kernel reads from a disk, ahead of its use.
 *
 * It does so by itself for a file that is read through: in requests that grow up to the device's read-ahead size, and,
 * in recent kernels, into pieces of memory that grow, too, for a quarter of the work of as many single pages. A request
 * leaves a mark on one of its pages; a read of that page makes the kernel go on. Where that is depends on the kernel
 * and on the device, but how much has been read for a process can be asked for. */
struct readahead {
    long file;
    uint64_t end;  /* of what has been asked for, in bytes */
    uint64_t mark; /* offset of the page with the mark; 0 when the kernel does not go on by marks */
};

/* Begin at the beginning of the file; 0 if the page cache holds it. */
int begin_readahead(struct readahead *readahead, long file);

/* Have the file read from `start` to `end`, as far as that has not been asked for. */
void read_ahead_to(struct readahead *readahead, uint64_t start, uint64_t end);

/* Drop the page at `offset`, also one that the kernel has just begun to read. */
void forget_page(long file, uint64_t offset);

#endif
