/* Generated from pyl/image/file/structures.py by `python -m pyl.image.headers`; do not edit. */
/* The file `pyl/image`; docs/image-format.md describes it. Little-endian, naturally aligned. Offsets count bytes
 * from the start of the file unless stated otherwise; every table lies in the first `header_bytes`. */
#ifndef PYL_IMAGE_H
#define PYL_IMAGE_H

#include "processor_state.h"

#include <stdint.h>

#define IMAGE_MAGIC 0x4547414d494c5950ul /* "PYLIMAGE" */
#define NO_SAMPLE 0xfffffffffffffffful
#define CHECKSUM_SEEDS 0x9e3779b97f4a7c15ul, 0xc2b2ae3d27d4eb4ful
#define CHECKSUM_FACTORS 0xff51afd7ed558ccdul, 0xc4ceb9fe1a85ec53ul

enum { IMAGE_VERSION = 8 };
enum { FILE_MEMORY = 0 }; /* the number of `pyl/memory` */

enum {
    GUARD_EQUAL = 1,
    GUARD_ABSENT = 2,
    GUARD_TASK_ROOT = 3,
    GUARD_NO_OTHER = 4,
    GUARD_PRESENT = 5,
    GUARD_PATH_ABSENT = 6,
    GUARD_PATH_PRESENT = 7,
    GUARD_USER = 8,
    GUARD_PROCESSORS = 9,
};

enum {
    SEGMENT_ZERO = 1,
    SEGMENT_WIPE_ON_FORK = 2,
    SEGMENT_NO_RESERVE = 4,
    /* A part of an earlier segment that has another protection. */
    SEGMENT_PROTECT = 8,
    /* From this bit on: the number of the file that it is mapped from. */
    SEGMENT_FILE_SHIFT = 16,
};

enum {
    WORD_KINDS = 16,
    WORDS_PER_PAGE = 512,
    /* Bytes from the beginning of an encoded page on that a decoder may read. */
    ENCODED_PAGE_MARGIN = 0x1108,
};

struct table {
    uint32_t offset;
    uint32_t count;
};
_Static_assert(sizeof(struct table) == 8, "as Python packs it");

struct image_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    uint64_t file_bytes;
    /* Of the header's 8-byte words, this one taken as zero. */
    uint64_t checksum;
    struct table variants;
    /* Of the package, that segments are mapped from; the first one is `pyl/memory`. */
    struct table files;
};
_Static_assert(sizeof(struct image_header) == 48, "as Python packs it");

struct image_file {
    /* Offset of a string. */
    uint32_t path;
    uint32_t reserved;
    uint64_t bytes;
};
_Static_assert(sizeof(struct image_file) == 16, "as Python packs it");

struct image_guard {
    uint32_t kind;
    /* Offset of a string that ends in a zero byte. */
    uint32_t name;
    /* Likewise. */
    uint32_t value;
    uint32_t reserved;
};
_Static_assert(sizeof(struct image_guard) == 16, "as Python packs it");

struct image_segment {
    uint64_t address;
    uint64_t length;
    uint64_t offset;
    uint32_t protection;
    uint32_t flags;
};
_Static_assert(sizeof(struct image_segment) == 32, "as Python packs it");

struct image_range {
    uint64_t start;
    uint64_t length;
};
_Static_assert(sizeof(struct image_range) == 16, "as Python packs it");

struct image_action {
    uint64_t number;
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};
_Static_assert(sizeof(struct image_action) == 40, "as Python packs it");

/* Words that are equal but for their lowest bytes. */
struct word_kind {
    uint64_t base;
    /* The bits that each word has for itself, the lowest ones. */
    uint64_t own;
    uint64_t own_bytes;
};
_Static_assert(sizeof(struct word_kind) == 24, "as Python packs it");

struct image_kernel_state {
    uint64_t thread_id_address;
    uint64_t robust_list;
    uint64_t robust_list_bytes;
    uint64_t signal_mask;
    uint64_t alternate_stack;
    uint64_t alternate_stack_bytes;
    /* Offset of a string; 0 for the directory in which the launcher is started. */
    uint32_t directory;
    uint32_t reserved;
};
_Static_assert(sizeof(struct image_kernel_state) == 56, "as Python packs it");

struct image_variant {
    /* PYL_FULL or PYL_BASE. */
    uint32_t kind;
    uint32_t reserved;
    struct table guards;
    struct table segments;
    /* Ranges of memory that the segments map, by address; each is as long as it can be. */
    struct table mapped;
    /* For a cold page cache, besides: ranges of memory that a cold start writes, */
    struct table encoded;
    struct table word_kinds;
    /* and segments of what else it touches, mapped from this file. */
    struct table packed;
    struct table actions;
    /* For a warm one: ranges of memory that are written at once. */
    struct table populate;
    /* For a cold one: ranges of memory without readahead. */
    struct table rarely_used;
    /* For a warm one: ranges of memory that are mapped without what lies around. */
    struct table neighbourhoods;
    /* Ranges of memory to be combined with the pages from `patches` on, by exclusive or. */
    struct table patched;
    /* Part of this file: the encoded pages, then the packed ones. */
    struct image_range readahead;
    uint64_t encoded_bytes;
    /* Offset in `pyl/memory`: if this page is cached, so are all that a cold start touches. */
    uint64_t sample;
    /* Offset in `pyl/memory`. */
    uint64_t patches;
    struct image_kernel_state kernel;
    struct processor_state processor;
};
_Static_assert(sizeof(struct image_variant) == 192 + sizeof(struct processor_state), "as Python packs it");

/* What is at an offset of the header, which must have been checked. */
#define TABLE(header, table, type) ((const type *)((const char *)(header) + (table).offset))
#define TEXT(header, offset) ((const char *)(header) + (offset))

#endif
