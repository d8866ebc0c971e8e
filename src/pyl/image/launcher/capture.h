/* Generated from pyl/image/capture/protocol.py by `python -m pyl.image.headers`; do not edit. */
/* The system call by which a captured program and the tracer talk: prctl with options that no kernel knows. The
 * first argument is PYL_OPTIONS + operation. */
#ifndef PYL_CAPTURE_H
#define PYL_CAPTURE_H

#include <stdint.h>

enum { PYL_OPTIONS = 0x70796c00 };

/* Operations. Without a tracer the kernel answers each with -EINVAL. */
enum {
    /* Is this process being captured? Returns 1 if so. */
    PYL_IS_CAPTURED = 0,
    /* Second and third argument: address and length of a JSON text for the build. */
    PYL_REPORT = 1,
    /* Store this process. Second argument: PYL_BASE or PYL_FULL. Returns in a restored process, with the address
     * of a `struct pyl_restored`. */
    PYL_SNAPSHOT = 2,
    /* Second argument: a `struct pyl_placement` for the tracer to fill in. */
    PYL_GET_PLACEMENT = 3,
    /* Second and third argument: address and length of the room for the keys. */
    PYL_GET_KEYS = 4,
    /* Second argument: a `struct pyl_blocks` for the tracer to keep. */
    PYL_PUT_BLOCKS = 5,
    /* Second argument: 1 while PYL_PLACE_SIGNAL is answered with PYL_PLACE, then 0. */
    PYL_WATCH = 6,
    /* Second and third argument: address and length of a text, `file:line` of each Python frame. */
    PYL_PLACE = 7,
    /* Second and third argument: address and length of the room for a list of `struct pyl_fork_handler`, which a
     * restored process has to call. Returns how many there are. */
    PYL_GET_FORK_HANDLERS = 8,
};

/* Kinds of a snapshot. */
enum {
    PYL_BASE = 1,
    PYL_FULL = 2,
};

/* Where the blocks of Python's objects go. */
enum {
    /* In order of allocation; all are recorded. */
    PYL_PLACEMENT_RECORDED = 0,
    /* Those with a key on pages of their own; all are recorded. */
    PYL_PLACEMENT_ISOLATED = 1,
    /* Those with a key beside each other. */
    PYL_PLACEMENT_COMPACT = 2,
};

enum { PYL_GRAIN = 16, PYL_PAGE = 4096, PYL_PLACE_SIGNAL = 62 };

/* What the heap is to do. `mode`: one of PYL_PLACEMENT_*. */
struct pyl_placement {
    uint64_t mode;
    uint64_t key_count;
};
_Static_assert(sizeof(struct pyl_placement) == 16, "as Python packs it");

/* A part of the heap, and the address of the keys of its blocks: 8 bytes for each PYL_GRAIN, zero where no block
 * is. */
struct pyl_blocks {
    uint64_t address;
    uint64_t bytes;
    uint64_t keys;
};
_Static_assert(sizeof(struct pyl_blocks) == 24, "as Python packs it");

/* What a library gave `pthread_atfork`: addresses of functions, or zero. */
struct pyl_fork_handler {
    uint64_t prepare;
    uint64_t child;
};
_Static_assert(sizeof(struct pyl_fork_handler) == 16, "as Python packs it");

/* Environment variable at capture. JSON, `{function name: event}`: each is called before the snapshot. */
#define PYL_WARM_UP_VARIABLE "PYL_WARM_UP"

/* Environment variable at capture: the names of the project's own variables, separated by spaces. */
#define PYL_CONFIGURED_VARIABLE "PYL_CONFIGURED"

/* Environment variable at capture: the functions to load, separated by spaces; all if it is not set. */
#define PYL_FUNCTIONS_VARIABLE "PYL_FUNCTIONS"

/* A function of pyl's own in every image. No `_HANDLER` of Lambda's contains a space. */
#define PYL_REHEARSAL "pyl rehearsal"

#endif
