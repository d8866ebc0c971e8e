/* What the launcher hands to the program that it has restored. */
#ifndef PYL_RESTORED_H
#define PYL_RESTORED_H

struct pyl_restored {
    long argument_count;
    char **arguments;
    char **environment;
    long kind;
};

#endif
