/* See places.h.
 *
 * The tracer stops a system call that it wants to know the origin of, sends a signal, and lets the call be made again
 * after it. So the handler runs while the thread is inside of the C function that makes the call, often without the
 * GIL. */
#include "places.h"

#include "capture.h"
#include "tracer_call.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { MOST_FRAMES = 64, ROOM = 16 << 10 };

static char text[ROOM];

static size_t describe_frames(PyThreadState *state)
{
    size_t length = 0;
    PyFrameObject *frame = PyThreadState_GetFrame(state);
    for (int count = 0; frame && count < MOST_FRAMES; count++) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        const char *file = PyUnicode_AsUTF8(code->co_filename);
        int written =
            snprintf(text + length, ROOM - length, "%s:%d\n", file ? file : "?", PyFrame_GetLineNumber(frame));
        PyFrameObject *caller = PyFrame_GetBack(frame);
        Py_DECREF(code);
        Py_DECREF(frame);
        frame = caller;
        if (written < 0 || (size_t)written >= ROOM - length)
            break;
        length += (size_t)written;
    }
    Py_XDECREF(frame);
    return length;
}

static void answer(int number)
{
    int error = errno;
    PyThreadState *state = PyGILState_GetThisThreadState();
    (void)number;
    if (state) {
        int has_gil = _PyThreadState_UncheckedGet() == state;
        if (!has_gil)
            PyEval_RestoreThread(state);
        int collects = PyGC_Disable(); /* frames become objects, and no collection is due in the middle of a call */
        call_tracer(PYL_PLACE, text, (long)describe_frames(state));
        if (collects)
            PyGC_Enable();
        if (!has_gil)
            PyEval_SaveThread();
    }
    errno = error;
}

PyObject *pyl_watch_places(PyObject *module, PyObject *on)
{
    int is_on = PyObject_IsTrue(on);
    struct sigaction action = {.sa_handler = is_on ? answer : SIG_DFL, .sa_flags = SA_RESTART};
    (void)module;
    if (is_on < 0)
        return NULL;
    if (!is_on) {
        call_tracer(PYL_WATCH, NULL, 0);
        memset(text, 0, sizeof text);
    }
    sigaction(PYL_PLACE_SIGNAL, &action, NULL);
    if (is_on)
        call_tracer(PYL_WATCH, (const void *)1, 0);
    Py_RETURN_NONE;
}
