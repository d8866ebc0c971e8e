/* Reads and writes JSON as `pyl.json.codec` does, for common values. Rare or malformed ones are left to that. */
#ifndef PYL_JSON_H
#define PYL_JSON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Levels of nesting; deeper documents and values are left to Python. */
enum { JSON_DEEPEST = 200 };

/* The value of a document; NULL when it is left to Python: malformed, deeply nested, lone surrogates, huge numbers.
 * No exception is set then. */
PyObject *json_decode(const char *bytes, size_t length);

/* Text in a buffer that is used again and again. */
struct output {
    char *bytes;
    size_t length, room;
};

/* Write `value`, made of exactly JSON's own types, to `output`, which is emptied before; 0 when it is left to Python.
 */
int json_encode(PyObject *value, struct output *output);

/* Free the memory that a large answer has made the buffer grow to. */
void output_trim(struct output *output);

/* For tests: the same as functions of Python, `NotImplemented` standing for what is left to it. */
PyObject *pyl_decode(PyObject *module, PyObject *body);
PyObject *pyl_encode(PyObject *module, PyObject *value);

#endif
