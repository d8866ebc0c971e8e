/* How the launcher was started. */
#ifndef PYL_LAUNCHER_H
#define PYL_LAUNCHER_H

struct start {
    long argument_count;
    char **arguments;
    char **environment;
    char *folder; /* of the package; absolute */
};

#endif
