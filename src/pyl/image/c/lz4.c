/* See lz4.h; https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md describes the format. */
#include "lz4.h"

enum { LEAST_MATCH = 4, LONG_COUNT = 15, WIDE = 16 };

typedef uint64_t wide __attribute__((vector_size(WIDE), aligned(1), may_alias));

/* The rest of a count whose first part was the largest that it can say; 0 where it does not end. */
static int continue_count(const uint8_t **from, const uint8_t *end, size_t *count)
{
    uint8_t more;
    do {
        if (*from == end)
            return 0;
        *count += more = *(*from)++;
    } while (more == 255);
    return 1;
}

__attribute__((target("sse2"))) int lz4_decode(const uint8_t *from, size_t bytes, uint8_t *to, size_t length)
{
    const uint8_t *end = from + bytes;
    uint8_t *start = to, *stop = to + length;
    while (from < end) {
        uint8_t token = *from++;
        size_t literals = token >> 4, match = token & LONG_COUNT;
        if (literals == LONG_COUNT && !continue_count(&from, end, &literals))
            return 0;
        if (literals > (size_t)(end - from) || literals > (size_t)(stop - to))
            return 0;
        if (literals + WIDE <= (size_t)(end - from) && literals + WIDE <= (size_t)(stop - to))
            for (size_t done = 0; done < literals; done += WIDE)
                *(wide *)(to + done) = *(const wide *)(from + done);
        else
            for (size_t done = 0; done < literals; done++)
                to[done] = from[done];
        from += literals;
        to += literals;
        if (from == end) /* the last sequence has no match */
            return to == stop;
        if (end - from < 2)
            return 0;
        size_t distance = from[0] | from[1] << 8;
        from += 2;
        if (match == LONG_COUNT && !continue_count(&from, end, &match))
            return 0;
        match += LEAST_MATCH;
        if (!distance || distance > (size_t)(to - start) || match > (size_t)(stop - to))
            return 0;
        uint8_t *match_end = to + match;
        if (match + WIDE <= (size_t)(stop - to)) {
            if (distance < WIDE) { /* a pattern: what is a multiple of its length apart is alike, too */
                size_t apart = distance * ((WIDE - 1) / distance + 1);
                for (size_t done = 0; done < apart && to < match_end; done++, to++)
                    *to = *(to - distance);
                distance = apart;
            }
            for (; to < match_end; to += WIDE)
                *(wide *)to = *(const wide *)(to - distance);
        } else {
            for (; to < match_end; to++)
                *to = *(to - distance);
        }
        to = match_end;
    }
    return 0;
}
