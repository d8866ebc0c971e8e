/* Handlers of `pthread_atfork` by which libraries seed their generators anew: a restored process is like a forked one.
 */
#ifndef PYL_FORK_HANDLERS_H
#define PYL_FORK_HANDLERS_H

/* Asks the tracer for those that drew random bytes in this process, which was forked to be stored. False, with an
 * exception, if there are too many. */
int fork_handlers_remember(void);

/* Calls them, in a restored process. */
void fork_handlers_run(void);

#endif
