/* The file `pyl/image`; format.py writes it, docs/image-format.md describes it. Little-endian, naturally aligned.
 * Offsets count bytes from the start of the file, if nothing else is said; every table lies in the first `header_bytes`. */
#ifndef PYL_IMAGE_H
#define PYL_IMAGE_H

#include <stdint.h>

#define IMAGE_MAGIC 0x4547414d494c5950ul /* "PYLIMAGE" */
enum { IMAGE_VERSION = 6 };

struct table {
    uint32_t offset, count;
};

struct image_header {
    uint64_t magic;
    uint32_t version, header_bytes;
    uint64_t file_bytes;
    uint64_t checksum; /* of the header's 8-byte words, this one taken as zero */
    struct table variants;
    struct table files; /* of the package, that segments are mapped from; the first one is `pyl/memory` */
};

enum { FILE_MEMORY = 0 }; /* the number of `pyl/memory` */

struct image_file {
    uint32_t path, reserved; /* offset of a string */
    uint64_t bytes;
};

enum { GUARD_EQUAL = 1, GUARD_ABSENT = 2, GUARD_TASK_ROOT = 3, GUARD_NO_OTHER = 4 };

struct image_guard {
    uint32_t kind;
    uint32_t name, value; /* offsets of strings that end in a zero byte */
    uint32_t reserved;
};

enum {
    SEGMENT_ZERO = 1,
    SEGMENT_WIPE_ON_FORK = 2,
    SEGMENT_NO_RESERVE = 4,
    SEGMENT_PROTECT = 8, /* a part of one before it that has another protection */
    SEGMENT_FILE_SHIFT = 16, /* from this bit on: the number of the file that it is mapped from */
};

struct image_segment {
    uint64_t address, length, offset;
    uint32_t protection, flags;
};

struct image_range {
    uint64_t start, length;
};

struct image_action {
    uint64_t number, handler, flags, restorer, mask;
};

struct image_state {
    uint64_t rip, rsp, rbx, rbp, r12, r13, r14, r15;
    uint64_t fs_base, gs_base;
    uint64_t thread_id_address;
    uint64_t robust_list, robust_list_bytes;
    uint64_t signal_mask;
    uint64_t alternate_stack, alternate_stack_bytes;
    uint32_t x87_control, mxcsr;
    uint32_t directory, reserved; /* offset of a string; 0 when it is where the launcher is started */
};

#define NO_SAMPLE ~0ul

struct image_variant {
    uint32_t kind, reserved;
    struct table guards, segments;
    struct table encoded;        /* for a cold page cache, once more: ranges of memory that a cold start writes, */
    struct table word_kinds;
    struct table packed;         /* and segments of what else it touches, mapped from this file */
    struct table actions;
    struct table populate;       /* for a warm one: ranges of memory that are written at once */
    struct table rarely_used;    /* for a cold one: ranges of memory of which nothing is read that was not asked for */
    struct table neighbourhoods; /* for a warm one: ranges of memory that are set apart from what lies around */
    struct table patched;        /* ranges of memory to be combined with the pages from `patches` on */
    struct image_range ahead;    /* what is encoded, page by page, then what is packed */
    uint64_t encoded_bytes;
    uint64_t sample;             /* in `pyl/memory`: where this page is in the page cache, what is touched is */
    uint64_t patches;            /* in `pyl/memory` */
    struct image_state state;
};

/* What stands at an offset of the header, which must have been checked. */
#define TABLE(header, table, type) ((const type *)((const char *)(header) + (table).offset))
#define TEXT(header, offset) ((const char *)(header) + (offset))

#endif
