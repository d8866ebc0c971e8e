/* Finds the first of 16 bytes for which a comparison holds, with the vector instructions that the compiler may use. */
#ifndef PYL_SIMD_H
#define PYL_SIMD_H

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { LANES = 16 };

typedef signed char signed_lanes __attribute__((vector_size(LANES)));
typedef unsigned char unsigned_lanes __attribute__((vector_size(LANES)));

static inline signed_lanes load_signed(const char *bytes)
{
    signed_lanes lanes;
    memcpy(&lanes, bytes, sizeof lanes);
    return lanes;
}

/* The index of the first lane that is not zero, LANES if all are. Each lane of `truth` is 0 or -1, as vector
 * comparisons give it. */
static inline unsigned first_true(signed_lanes truth)
{
#ifdef __SSE2__
    unsigned bits = (unsigned)_mm_movemask_epi8((__m128i)truth);
    return bits ? (unsigned)__builtin_ctz(bits) : LANES;
#else /* little-endian, as all of Lambda's processors */
    uint64_t halves[2];
    memcpy(halves, &truth, sizeof halves);
    if (halves[0])
        return (unsigned)__builtin_ctzl(halves[0]) / 8;
    return halves[1] ? 8 + (unsigned)__builtin_ctzl(halves[1]) / 8 : LANES;
#endif
}

#endif
