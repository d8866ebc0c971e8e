/* See words.h. Nothing branches on what is decoded: a processor would guess it wrong more often than not. */
#include "words.h"

typedef uint64_t unaligned __attribute__((aligned(1), may_alias));

const uint8_t *decode_page(const uint8_t *from, const struct word_kind *kinds, uint64_t *page)
{
    const uint8_t *own = from + WORDS_PER_PAGE / 2;
    for (unsigned i = 0; i < WORDS_PER_PAGE; i += 2, from++) {
        const struct word_kind *first = &kinds[*from & 15], *second = &kinds[*from >> 4];
        page[i] = first->base | (*(const unaligned *)own & first->own);
        own += first->own_bytes;
        page[i + 1] = second->base | (*(const unaligned *)own & second->own);
        own += second->own_bytes;
    }
    return own;
}
