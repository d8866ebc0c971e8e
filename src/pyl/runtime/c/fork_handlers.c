/* See fork_handlers.h. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "fork_handlers.h"

#include "capture.h"
#include "tracer_call.h"

enum { MOST = 64 };

typedef void handler(void);

static struct pyl_fork_handler handlers[MOST];
static long count;

int fork_handlers_remember(void)
{
    count = call_tracer(PYL_GET_FORK_HANDLERS, handlers, sizeof handlers);
    if (count <= MOST)
        return 1;
    PyErr_SetString(PyExc_RuntimeError, "too many libraries seed their generators anew in a forked process");
    return 0;
}

static void call(uint64_t address)
{
    if (address)
        ((handler *)address)();
}

/* In the order of fork(3), so that what a handler locks before is there to be unlocked after it. */
void fork_handlers_run(void)
{
    for (long i = count; i > 0; i--)
        call(handlers[i - 1].prepare);
    for (long i = 0; i < count; i++)
        call(handlers[i].child);
}
