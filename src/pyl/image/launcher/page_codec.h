/* Decodes pages of memory that take a third of their bytes; page_codec.py encodes them, and describes how. */
#ifndef PYL_PAGE_CODEC_H
#define PYL_PAGE_CODEC_H

#include "image.h"

/* Decode one page; return where the next one begins. Reads at most ENCODED_PAGE_MARGIN bytes. */
const uint8_t *decode_page(const uint8_t *encoded, const struct word_kind *kinds, uint64_t *page);

#endif
