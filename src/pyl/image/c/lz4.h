#ifndef PYL_LZ4_H
#define PYL_LZ4_H

#include <stddef.h>
#include <stdint.h>

/* Decode the LZ4 block of `bytes` at `from` to exactly `length` bytes at `to`. Returns 0 where it is no such block;
 * nothing outside of either is read or written then, too. */
int lz4_decode(const uint8_t *from, size_t bytes, uint8_t *to, size_t length);

#endif
