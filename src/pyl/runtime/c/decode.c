/* Reads JSON; see json.h. */
#include "json.h"

#include "simd.h"

#include <stdint.h>
#include <string.h>

struct reader {
    const char *at, *end;
};

static PyObject *read_value(struct reader *reader, int depth);

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\r' || *reader->at == '\t'))
        reader->at++;
}

/* Return the place of the next quote, backslash, control character or byte beyond ASCII. */
static const char *plain_end(const char *at, const char *end)
{
    for (; end - at >= LANES; at += LANES) {
        signed_lanes bytes = load_signed(at);
        /* The lanes are signed, so bytes beyond ASCII are below the space, too. */
        unsigned first = first_true((bytes == '"') | (bytes == '\\') | (bytes < ' '));
        if (first < LANES)
            return at + first;
    }
    while (at < end && *at != '"' && *at != '\\' && (signed char)*at >= ' ')
        at++;
    return at;
}

static int hexadecimal(const char *at, const char *end)
{
    int value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int c = at[i], low = c | 0x20;
        if (c >= '0' && c <= '9')
            value = value << 4 | (c - '0');
        else if (low >= 'a' && low <= 'f')
            value = value << 4 | (low - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* One escape, from behind its backslash; 0 for a wrong one and for half of a surrogate pair. */
static int read_escape(struct reader *reader, char **to)
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return 0;
    char kind = *reader->at++;
    const char *letter = kind ? strchr(plain, kind) : NULL;
    if (letter) {
        *(*to)++ = meant[letter - plain];
        return 1;
    }
    int unit = kind == 'u' ? hexadecimal(reader->at, reader->end) : -1;
    if (unit < 0 || (unit >= 0xdc00 && unit < 0xe000))
        return 0;
    reader->at += 4;
    unsigned c = (unsigned)unit;
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u')
            return 0;
        int second = hexadecimal(reader->at + 2, reader->end);
        if (second < 0xdc00 || second >= 0xe000)
            return 0;
        reader->at += 6;
        c = 0x10000 + (((unsigned)unit - 0xd800) << 10) + ((unsigned)second - 0xdc00);
    }
    *to = put_utf8(*to, c);
    return 1;
}

/* A string with escapes or with characters beyond ASCII; `start` is behind its quote. */
static PyObject *read_rich_string(struct reader *reader, const char *start)
{
    const char *end = reader->at;
    while (end < reader->end && *end != '"')
        end += *end == '\\' ? 2 : 1;
    if (end >= reader->end)
        return NULL;
    char *text = PyMem_Malloc((size_t)(end - start) + 4), *to = text; /* no escape is shorter than what it means */
    if (!text) {
        PyErr_NoMemory();
        return NULL;
    }
    int is_valid = 1;
    reader->at = start;
    while (is_valid && reader->at < reader->end && *reader->at != '"') {
        if (*reader->at == '\\') {
            reader->at++;
            is_valid = read_escape(reader, &to);
        } else if ((unsigned char)*reader->at < 0x20) {
            is_valid = 0;
        } else {
            *to++ = *reader->at++;
        }
    }
    PyObject *string = is_valid ? PyUnicode_DecodeUTF8(text, to - text, "strict") : NULL;
    PyMem_Free(text);
    reader->at++;
    return string;
}

/* From behind the opening quote to behind the closing one. */
static PyObject *read_string(struct reader *reader)
{
    const char *start = reader->at, *end = plain_end(start, reader->end);
    reader->at = end;
    if (end == reader->end)
        return NULL;
    if (*end != '"')
        return read_rich_string(reader, start);
    reader->at = end + 1;
    PyObject *string = PyUnicode_New(end - start, 127);
    if (string)
        memcpy(PyUnicode_1BYTE_DATA(string), start, (size_t)(end - start));
    return string;
}

enum { KEYS = 256, LONGEST_KEY = 32 };

static struct key {
    PyObject *string;
    uint8_t length;
    char bytes[LONGEST_KEY];
} keys[KEYS]; /* the same events come again and again: their keys are made, and hashed, once */

static PyObject *read_key(struct reader *reader)
{
    const char *start = reader->at, *end = plain_end(start, reader->end);
    size_t length = (size_t)(end - start);
    if (end == reader->end || *end != '"' || length > LONGEST_KEY)
        return read_string(reader);
    uint32_t hash = (uint32_t)length;
    for (size_t i = 0; i < length; i++)
        hash = hash * 31 + (unsigned char)start[i];
    struct key *key = &keys[(hash ^ hash >> 8) % KEYS];
    if (key->string && key->length == length && !memcmp(key->bytes, start, length)) {
        reader->at = end + 1;
        return Py_NewRef(key->string);
    }
    PyObject *string = read_string(reader);
    if (!string)
        return NULL;
    memcpy(key->bytes, start, length);
    key->length = (uint8_t)length;
    Py_XSETREF(key->string, Py_NewRef(string));
    return string;
}

static PyObject *read_object(struct reader *reader, int depth)
{
    PyObject *object = PyDict_New();
    skip_space(reader);
    if (object && reader->at < reader->end && *reader->at == '}') {
        reader->at++;
        return object;
    }
    while (object && reader->at < reader->end && *reader->at++ == '"') {
        PyObject *key = read_key(reader), *value = NULL;
        skip_space(reader);
        if (key && reader->at < reader->end && *reader->at == ':') {
            reader->at++;
            value = read_value(reader, depth);
        }
        int stored = value && !PyDict_SetItem(object, key, value);
        Py_XDECREF(key);
        Py_XDECREF(value);
        skip_space(reader);
        if (!stored || reader->at == reader->end)
            break;
        char next = *reader->at++;
        if (next == '}')
            return object;
        if (next != ',')
            break;
        skip_space(reader);
    }
    Py_XDECREF(object);
    return NULL;
}

static PyObject *read_array(struct reader *reader, int depth)
{
    PyObject *array = PyList_New(0);
    skip_space(reader);
    if (array && reader->at < reader->end && *reader->at == ']') {
        reader->at++;
        return array;
    }
    while (array) {
        PyObject *item = read_value(reader, depth);
        int stored = item && !PyList_Append(array, item);
        Py_XDECREF(item);
        skip_space(reader);
        if (!stored || reader->at == reader->end)
            break;
        char next = *reader->at++;
        if (next == ']')
            return array;
        if (next != ',')
            break;
    }
    Py_XDECREF(array);
    return NULL;
}

static const char *digits_end(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

enum { EXACT_DIGITS = 15, TENS = 16 };

static const double tens[TENS] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* A decimal of few digits without an exponent: both parts of the fraction are exact, so one division rounds right. */
static int read_plain_decimal(const char *at, const char *end, double *value)
{
    long long digits = 0;
    int count = 0, fraction = -1;
    for (; at < end; at++) {
        if (*at == '.') {
            fraction = 0;
            continue;
        }
        if (*at < '0' || *at > '9' || ++count > EXACT_DIGITS)
            return 0;
        digits = digits * 10 + (*at - '0');
        if (fraction >= 0)
            fraction++;
    }
    if (fraction < 0)
        return 0;
    *value = (double)digits / tens[fraction];
    return 1;
}

static PyObject *read_number(struct reader *reader)
{
    const char *start = reader->at, *first = start + (*start == '-'), *end = digits_end(first, reader->end);
    if (end == first || (*first == '0' && end - first > 1))
        return NULL;
    int whole = 1;
    if (end < reader->end && *end == '.') {
        const char *fraction = end + 1;
        whole = 0;
        end = digits_end(fraction, reader->end);
        if (end == fraction)
            return NULL;
    }
    if (end < reader->end && (*end | 0x20) == 'e') {
        const char *exponent = end + 1;
        whole = 0;
        if (exponent < reader->end && (*exponent == '+' || *exponent == '-'))
            exponent++;
        end = digits_end(exponent, reader->end);
        if (end == exponent)
            return NULL;
    }
    reader->at = end;
    if (whole && end - first <= 18) {
        long long value = 0;
        for (const char *digit = first; digit < end; digit++)
            value = value * 10 + (*digit - '0');
        return PyLong_FromLongLong(first > start ? -value : value);
    }
    double plain;
    if (!whole && read_plain_decimal(first, end, &plain))
        return PyFloat_FromDouble(first > start ? -plain : plain);
    char text[64];
    if (whole || (size_t)(end - start) >= sizeof text)
        return NULL;
    memcpy(text, start, (size_t)(end - start));
    text[end - start] = 0;
    double value = PyOS_string_to_double(text, NULL, NULL); /* beyond the largest: infinity, as float() */
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

static int follows(struct reader *reader, const char *word, size_t length)
{
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length))
        return 0;
    reader->at += length;
    return 1;
}

static PyObject *read_value(struct reader *reader, int depth)
{
    skip_space(reader);
    if (reader->at == reader->end || depth > JSON_DEEPEST)
        return NULL;
    switch (*reader->at) {
    case '"':
        reader->at++;
        return read_string(reader);
    case '{':
        reader->at++;
        return read_object(reader, depth + 1);
    case '[':
        reader->at++;
        return read_array(reader, depth + 1);
    case 't':
        return follows(reader, "true", 4) ? Py_NewRef(Py_True) : NULL;
    case 'f':
        return follows(reader, "false", 5) ? Py_NewRef(Py_False) : NULL;
    case 'n':
        return follows(reader, "null", 4) ? Py_NewRef(Py_None) : NULL;
    default:
        return read_number(reader);
    }
}

PyObject *json_decode(const char *bytes, size_t length)
{
    struct reader reader = {bytes, bytes + length};
    PyObject *value = read_value(&reader, 0);
    skip_space(&reader);
    if (value && reader.at == reader.end)
        return value;
    Py_XDECREF(value);
    PyErr_Clear();
    return NULL;
}

PyObject *pyl_decode(PyObject *module, PyObject *body)
{
    char *bytes;
    Py_ssize_t length;
    (void)module;
    if (PyBytes_AsStringAndSize(body, &bytes, &length) < 0)
        return NULL;
    PyObject *value = json_decode(bytes, (size_t)length);
    return value ? value : Py_NewRef(Py_NotImplemented);
}
