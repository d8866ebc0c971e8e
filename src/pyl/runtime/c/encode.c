/* Writes JSON; see json.h. */
#include "json.h"

#include "simd.h"

#include <string.h>

static int make_room(struct output *output, size_t more)
{
    if (output->bytes && output->room - output->length >= more)
        return 1;
    size_t room = (output->length + more) * 2 + 512;
    char *bytes = PyMem_RawRealloc(output->bytes, room);
    if (!bytes)
        return 0;
    output->bytes = bytes;
    output->room = room;
    return 1;
}

static int put(struct output *output, const char *bytes, size_t length)
{
    if (!make_room(output, length))
        return 0;
    memcpy(output->bytes + output->length, bytes, length);
    output->length += length;
    return 1;
}

/* Return the place of the next quote, backslash or control character. */
static const char *unescaped_end(const char *at, const char *end)
{
    for (; end - at >= LANES; at += LANES) {
        signed_lanes bytes = load_signed(at);
        unsigned first = first_true((bytes == '"') | (bytes == '\\') | ((unsigned_lanes)bytes < ' '));
        if (first < LANES)
            return at + first;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
        at++;
    return at;
}

static int put_escape(struct output *output, unsigned char c)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt", digits[] = "0123456789abcdef";
    const char *place = c ? strchr(escaped, c) : NULL;
    if (place)
        return put(output, (char[]){'\\', letters[place - escaped]}, 2);
    return put(output, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
}

static int write_string(PyObject *string, struct output *output)
{
    Py_ssize_t length;
    const char *at = PyUnicode_AsUTF8AndSize(string, &length), *end = at + length;
    if (!at || !make_room(output, (size_t)length + 2)) /* a lone surrogate */
        return 0;
    output->bytes[output->length++] = '"';
    for (;;) {
        const char *next = unescaped_end(at, end);
        if (!put(output, at, (size_t)(next - at)))
            return 0;
        if (next == end)
            return put(output, "\"", 1);
        if (!put_escape(output, (unsigned char)*next))
            return 0;
        at = next + 1;
    }
}

static int write_integer(PyObject *integer, struct output *output)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(integer, &overflow);
    if (overflow)
        return 0;
    char text[24], *at = text + sizeof text;
    unsigned long long rest = value < 0 ? 0ull - (unsigned long long)value : (unsigned long long)value;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    return put(output, at, (size_t)(text + sizeof text - at));
}

/* Write a number of few decimals to `text`, as float.__repr__ would; its length, or 0 when that takes more. A decimal
 * of at most 15 digits that stands for the number is the shortest one, once it has no zeros at its end. */
static size_t plain_decimal(double value, char *text)
{
    enum { MOST_DECIMALS = 4 };
    double size = value < 0 ? -value : value;
    if (!(size >= 1e-3 && size < 1e9)) /* 0 has a sign of its own */
        return 0;
    double scale = 10;
    for (int decimals = 1; decimals <= MOST_DECIMALS; decimals++, scale *= 10) {
        long long scaled = (long long)(size * scale + 0.5);
        if ((double)scaled / scale != size)
            continue;
        char *end = text + 24, *at = end;
        for (int written = 0; written <= decimals + 1 || scaled; written++) {
            if (written == decimals) {
                *--at = '.';
                continue;
            }
            *--at = (char)('0' + scaled % 10);
            scaled /= 10;
        }
        if (value < 0)
            *--at = '-';
        memmove(text, at, (size_t)(end - at));
        return (size_t)(end - at);
    }
    return 0;
}

static int write_float(PyObject *number, struct output *output)
{
    double value = PyFloat_AS_DOUBLE(number);
    if (value != value || value - value != 0) /* not a number; infinite */
        return 0;
    char digits[24];
    size_t length = plain_decimal(value, digits);
    if (length)
        return put(output, digits, length);
    char *text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    int is_written = text && put(output, text, strlen(text));
    PyMem_Free(text);
    return is_written;
}

static int write_value(PyObject *value, struct output *output, int depth);

static int write_object(PyObject *object, struct output *output, int depth)
{
    Py_ssize_t position = 0;
    PyObject *key, *value;
    char separator = '{';
    while (PyDict_Next(object, &position, &key, &value)) {
        if (!PyUnicode_CheckExact(key) || !put(output, &separator, 1) || !write_string(key, output) ||
            !put(output, ":", 1) || !write_value(value, output, depth))
            return 0;
        separator = ',';
    }
    return separator == '{' ? put(output, "{}", 2) : put(output, "}", 1);
}

static int write_array(PyObject *array, struct output *output, int depth)
{
    char separator = '[';
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(array); i++) {
        if (!put(output, &separator, 1) || !write_value(PyList_GET_ITEM(array, i), output, depth))
            return 0;
        separator = ',';
    }
    return separator == '[' ? put(output, "[]", 2) : put(output, "]", 1);
}

static int write_value(PyObject *value, struct output *output, int depth)
{
    if (PyUnicode_CheckExact(value))
        return write_string(value, output);
    if (value == Py_None)
        return put(output, "null", 4);
    if (value == Py_True)
        return put(output, "true", 4);
    if (value == Py_False)
        return put(output, "false", 5);
    if (PyLong_CheckExact(value))
        return write_integer(value, output);
    if (PyFloat_CheckExact(value))
        return write_float(value, output);
    if (depth == JSON_DEEPEST)
        return 0;
    if (PyDict_CheckExact(value))
        return write_object(value, output, depth + 1);
    return PyList_CheckExact(value) && write_array(value, output, depth + 1);
}

int json_encode(PyObject *value, struct output *output)
{
    output->length = 0;
    if (write_value(value, output, 0))
        return 1;
    PyErr_Clear();
    return 0;
}

enum { KEPT_ROOM = 1 << 20 };

void output_trim(struct output *output)
{
    if (output->room <= KEPT_ROOM)
        return;
    PyMem_RawFree(output->bytes);
    memset(output, 0, sizeof *output);
}

PyObject *pyl_encode(PyObject *module, PyObject *value)
{
    struct output output = {NULL, 0, 0};
    (void)module;
    PyObject *text = json_encode(value, &output) ? PyBytes_FromStringAndSize(output.bytes, (Py_ssize_t)output.length)
                                                 : Py_NewRef(Py_NotImplemented);
    PyMem_RawFree(output.bytes);
    return text;
}
