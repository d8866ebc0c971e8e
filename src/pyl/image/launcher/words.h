/* Memory of a program in a third of its bytes; words.py encodes it, and says how. */
#ifndef PYL_WORDS_H
#define PYL_WORDS_H

#include <stdint.h>

enum { WORD_KINDS = 16, WORDS_PER_PAGE = 512 };
enum { ENCODED_PAGE_AT_MOST = WORDS_PER_PAGE / 2 + WORDS_PER_PAGE * 8 + 8 }; /* bytes that may be looked at */

struct word_kind {
    uint64_t base;
    uint64_t own; /* the bits that each word has for itself, the lowest ones */
    uint64_t own_bytes;
};

/* Decode one page; where the next one begins. */
const uint8_t *decode_page(const uint8_t *from, const struct word_kind *kinds, uint64_t *page);

#endif
