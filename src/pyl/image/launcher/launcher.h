/* How the launcher was started. */
#ifndef PYL_LAUNCHER_H
#define PYL_LAUNCHER_H

struct start {
    long argument_count;
    char **arguments;
    char **environment;
    const long *auxiliary; /* the kernel's auxiliary vector: type, value, ..., AT_NULL */
    char *folder;          /* of the package; absolute */
};

#endif
