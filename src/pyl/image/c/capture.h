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
