/* The system call by which the program and capture's tracer talk: prctl with options that no kernel knows. A number
 * that no kernel knows would do too, but containers' seccomp filters answer those themselves. */
#ifndef PYL_CAPTURE_H
#define PYL_CAPTURE_H

enum { PYL_CALL = 157 /* prctl */, PYL_OPTIONS = 0x70796c00 };

/* Added to PYL_OPTIONS, the first argument. Without a tracer each answers -EINVAL. */
enum {
    PYL_ASK = 0,  /* is this a capture? 1 */
    PYL_TELL = 1, /* second and third argument: address and length of a JSON text for the build */
    PYL_STOP = 2, /* store this process; second argument: PYL_BASE or PYL_FULL. Returns in a restored process
                     only, with the address of a `struct pyl_restored` */
    PYL_PLACE = 3,  /* second argument: a `struct pyl_placement` for the tracer to fill in. Returns 0 */
    PYL_KEYS = 4,   /* second and third argument: address and length of room for the keys. Returns 0 */
    PYL_BLOCKS = 5, /* second argument: a `struct pyl_blocks` for the tracer to keep. Returns 0 */
};

/* What becomes of the blocks of Python's objects: they lie where they come, and are recorded; those with a key lie on
 * pages of their own, and all are recorded; those with a key lie together. */
enum { PYL_PLACE_RECORDED = 0, PYL_PLACE_APART = 1, PYL_PLACE_TOGETHER = 2 };

struct pyl_placement {
    unsigned long mode, key_count;
};

/* A part of the heap, and the recorded keys of its blocks: 8 bytes for each 16, zero where no block is. */
struct pyl_blocks {
    unsigned long address, bytes, keys;
};

enum { PYL_BASE = 1, PYL_FULL = 2 };

/* What the launcher hands to the program that it restored. */
struct pyl_restored {
    long argument_count;
    char **arguments;
    char **environment;
    long kind;
};

#endif
