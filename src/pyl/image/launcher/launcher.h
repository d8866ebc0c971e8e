/* What the launcher knows of how it was started. */
#ifndef PYL_LAUNCHER_H
#define PYL_LAUNCHER_H

#define LAUNCHER_STACK_BYTES 65536
#define LAUNCHER_STACK_TEXT "65536"

struct start {
    long argument_count;
    char **arguments;
    char **environment;
    char *folder; /* the package's, absolute */
};

#endif
