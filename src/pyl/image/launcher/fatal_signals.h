/* One log line when a restored program dies of a fault. */
#ifndef PYL_FATAL_SIGNALS_H
#define PYL_FATAL_SIGNALS_H

/* Handle the signals of faults from now on, until the program sets handlers of its own or executes another one. */
void handle_fatal_signals(void);

#endif
