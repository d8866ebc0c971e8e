/* See tracer_call.h. */
#include "tracer_call.h"

#include "capture.h"

#ifdef PYL_IMAGES

#include "tracer_abi.h"

#include <sys/syscall.h>

long call_tracer(long operation, const void *address, long length)
{
    return restorable_system_call(SYS_prctl, PYL_OPTIONS + operation, (long)address, length);
}

#else /* an architecture without process images */

#include <errno.h>

long call_tracer(long operation, const void *address, long length)
{
    (void)operation, (void)address, (void)length;
    return -EINVAL;
}

#endif

PyObject *pyl_is_captured(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyBool_FromLong(call_tracer(PYL_IS_CAPTURED, NULL, 0) == 1);
}

PyObject *pyl_report(PyObject *module, PyObject *text)
{
    char *bytes;
    Py_ssize_t length;
    (void)module;
    if (PyBytes_AsStringAndSize(text, &bytes, &length) < 0)
        return NULL;
    call_tracer(PYL_REPORT, bytes, length);
    Py_RETURN_NONE;
}
