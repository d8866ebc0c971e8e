/* See snapshot.h. */
#include "snapshot.h"

#include "capture.h"
#include "environment.h"
#include "fork_handlers.h"
#include "heap.h"
#include "libraries.h"
#include "restore_entry.h"
#include "restored.h"
#include "tracer_call.h"

#include <sys/syscall.h>
#include <unistd.h>

enum { HIGHEST_ERROR = 4095 };

PyObject *pyl_snapshot(PyObject *module, PyObject *arguments)
{
    long kind;
    PyObject *plan;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "lO!", &kind, &PyTuple_Type, &plan))
        return NULL;
    if (!libraries_forget_files()) {
        PyErr_SetString(PyExc_RuntimeError, "prepare_libraries() has to be called before");
        return NULL;
    }
    if (!fork_handlers_remember())
        return NULL;
    environment_remember_locale();
    environment_wipe();
    heap_settle();
    /* What debuggers read; it is another one in each restored process. */
    PyThreadState_Get()->native_thread_id = 0;
    long result = call_tracer(PYL_SNAPSHOT, (const void *)kind, 0);
    PyThreadState_Get()->native_thread_id = (unsigned long)syscall(SYS_gettid);
    if (result >= -HIGHEST_ERROR && result <= 0) {
        PyErr_SetString(PyExc_RuntimeError, "this process is not being captured");
        return NULL;
    }
    return enter_restored(((struct pyl_restored *)result)->environment, plan);
}
