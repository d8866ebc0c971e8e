/* What the parts of the measuring driver share. See driver.c. */
#ifndef PYL_BENCH_DRIVER_H
#define PYL_BENCH_DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define CONNECTIONS 8 /* that one environment may hold open at once; runtimes use one or two */

struct buffer {
    char *bytes;
    size_t length, room;
};

struct job {
    unsigned environments, invocations;
    int64_t timeout; /* ns, for the whole job */
    int inspect;     /* read memory and processor time at the first and at the last answer */
    struct buffer event;
    char group[512]; /* a cgroup's folder that a process joins when it first asks for work, or "" */
};

struct usage {
    int64_t processor; /* ns; everything here is 0 when it could not be read */
    int64_t peak, resident, proportional, private;
    int64_t minor, major;
};

struct connection {
    int socket; /* -1: none */
    struct buffer input;
};

struct environment {
    pid_t process;
    int listener, port;
    struct connection connections[CONNECTIONS];
    /* CLOCK_MONOTONIC in ns; 0: did not happen */
    int64_t executed, connected, asked, handed, answered;
    int64_t cold_server; /* the driver's own time between the first request and the first answer */
    unsigned answers;    /* how many invocations were answered */
    int under_way;
    int64_t *latencies, *servers; /* of each invocation, and the driver's own time within it */
    int64_t first_answer, last_answer;
    struct usage first, last;
    const char *failure; /* NULL while all is well */
    long detail;         /* exit status, signal or errno of a failure */
    int done;
    struct buffer body; /* the first answer, or the error that was posted */
    int log;
};

/* A moment, and how much processor time the driver had used by then: its own cost is counted in processor time,
 * since a program that was woken by the driver may run in its stead on the same core. */
struct moment {
    int64_t time, processor;
};

int64_t now(void);
struct moment this_moment(void);
void append(struct buffer *buffer, const void *bytes, size_t count);
void consume(struct buffer *buffer, size_t count);

/* spawn.c */
int start_process(struct environment *environment, char *const *arguments);
void end_process(struct environment *environment);
void look_whether_alive(struct environment *environment);

/* process.c */
void read_usage(pid_t process, struct usage *usage);
int join_group(const char *group, pid_t process);
void confine(pid_t process);

/* exchange.c */
void serve(struct environment *environment, struct connection *connection, const struct job *job, struct moment woken);

#endif
