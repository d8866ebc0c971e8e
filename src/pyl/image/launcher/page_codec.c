/* See page_codec.h. Nothing branches on decoded values: a processor would mostly predict such branches wrong. */
#include "page_codec.h"

typedef uint64_t unaligned __attribute__((aligned(1), may_alias));

const uint8_t *decode_page(const uint8_t *encoded, const struct word_kind *kinds, uint64_t *page)
{
    const uint8_t *own = encoded + WORDS_PER_PAGE / 2;
    for (unsigned i = 0; i < WORDS_PER_PAGE; i += 2, encoded++) {
        const struct word_kind *first = &kinds[*encoded & 15], *second = &kinds[*encoded >> 4];
        page[i] = first->base | (*(const unaligned *)own & first->own);
        own += first->own_bytes;
        page[i + 1] = second->base | (*(const unaligned *)own & second->own);
        own += second->own_bytes;
    }
    return own;
}
