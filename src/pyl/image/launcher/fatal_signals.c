/* See fatal_signals.h. The launcher's memory stays mapped below the restored program, so its code can be a handler. */
#include "fatal_signals.h"

#include "processor.h"
#include "report.h"
#include "system.h"

#include <linux/signal.h>

static const struct fatal_signal {
    int number;
    char name[8];
} fatal_signals[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGILL, "SIGILL"}, {SIGFPE, "SIGFPE"}, {SIGABRT, "SIGABRT"}};

enum { FATAL_SIGNALS = sizeof fatal_signals / sizeof *fatal_signals };

static void log_fatal_signal(int number)
{
    const char *name = "?";
    for (unsigned i = 0; i < FATAL_SIGNALS; i++)
        if (fatal_signals[i].number == number)
            name = fatal_signals[i].name;
    const char *details[] = {"signal", name, NULL};
    log_line(
        "ERROR",
        MESSAGE("the program was started from its process image and is killed by a signal: native code has failed, "
                "or the image is damaged; deploy the package again, and if it repeats, set `image = false` in "
                "[tool.pyl.native] and report it"),
        details);
    /* The signal's disposition is the default one again. The first process of a namespace ignores this signal, but not
     * the fault, which repeats after the return. */
    system_call(__NR_tgkill, system_call(__NR_getpid, 0), system_call(__NR_gettid, 0), number);
}

void handle_fatal_signals(void)
{
    struct sigaction action = {
        .sa_handler = log_fatal_signal,
        .sa_flags = SA_RESETHAND | SA_NODEFER | SA_ONSTACK,
    };
    set_restorer(&action);
    for (unsigned i = 0; i < FATAL_SIGNALS; i++)
        system_call(__NR_rt_sigaction, fatal_signals[i].number, &action, NULL, sizeof action.sa_mask);
}
