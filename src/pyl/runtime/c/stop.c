/* See stop.h. */
#include "stop.h"

#include "capture.h"
#include "heap.h"
#include "libraries.h"
#include "resume.h"

long ask_tracer(long operation, const void *address, long length)
{
    long result, second = (long)address, first = PYL_OPTIONS + operation;
    /* After a restore only the registers that a callee keeps, and rax, hold what they held. */
    __asm__ volatile("syscall"
                     : "=a"(result), "+D"(first), "+S"(second), "+d"(length)
                     : "0"((long)PYL_CALL)
                     : "rcx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    return result;
}

PyObject *pyl_ask(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyBool_FromLong(ask_tracer(PYL_ASK, NULL, 0) == 1);
}

PyObject *pyl_tell(PyObject *module, PyObject *text)
{
    char *bytes;
    Py_ssize_t length;
    (void)module;
    if (PyBytes_AsStringAndSize(text, &bytes, &length) < 0)
        return NULL;
    ask_tracer(PYL_TELL, bytes, length);
    Py_RETURN_NONE;
}

PyObject *pyl_stop(PyObject *module, PyObject *arguments)
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
    resume_remember();
    heap_settle();
    long result = ask_tracer(PYL_STOP, (const void *)kind, 0);
    if (result >= -4095 && result <= 0) {
        PyErr_SetString(PyExc_RuntimeError, "this process is not being captured");
        return NULL;
    }
    return resume(((struct pyl_restored *)result)->environment, plan);
}
