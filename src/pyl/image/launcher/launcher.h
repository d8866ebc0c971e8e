/* How the launcher was started, and the stack that it runs on. */
#ifndef PYL_LAUNCHER_H
#define PYL_LAUNCHER_H

enum { LAUNCHER_STACK_BYTES = 65536 };
extern __attribute__((visibility("hidden"))) char launcher_stack[LAUNCHER_STACK_BYTES];

struct start {
    long argument_count;
    char **arguments;
    char **environment;
    const long *auxiliary; /* the kernel's auxiliary vector: type, value, ..., AT_NULL */
    char *folder;          /* of the package; absolute */
};

#endif
