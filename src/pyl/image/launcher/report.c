/* See report.h. Text is gathered in one growing buffer, so that no length is a limit. */
#include "report.h"

#include "system.h"

struct text {
    char *bytes;
    size_t length, room;
};

static void append_bytes(struct text *text, const char *bytes, size_t count)
{
    if (text->length + count > text->room) {
        size_t room = (text->length + count) * 2 + PAGE;
        char *larger = fresh_memory(room);
        if (!larger)
            return; /* out of memory: say what fits */
        memcpy(larger, text->bytes, text->length);
        text->bytes = larger;
        text->room = room;
    }
    memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
}

static void append(struct text *text, const char *string) { append_bytes(text, string, length_of(string)); }

static void append_number(struct text *text, unsigned long number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    append_bytes(text, digits + at, sizeof digits - at);
}

static void append_escaped(struct text *text, const char *string)
{
    static const char hex[] = "0123456789abcdef";
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (c == '"' || c == '\\') {
            append_bytes(text, "\\", 1);
            append_bytes(text, string, 1);
        } else if (c < 0x20 || c >= 0x7f) {
            char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            append_bytes(text, escape, sizeof escape);
        } else {
            append_bytes(text, string, 1);
        }
    }
}

static void write_all(int descriptor, const char *bytes, size_t count)
{
    while (count) {
        long written = system_call(SYS_write, descriptor, bytes, count);
        if (failed(written) || written == 0)
            return;
        bytes += written;
        count -= (size_t)written;
    }
}

void log_line(const char *level, const char *message, const char *const *details)
{
    struct text line = {0};
    append(&line, "{\"level\":\"");
    append(&line, level);
    append(&line, "\",\"message\":\"");
    append_escaped(&line, message);
    append(&line, "\",\"logger\":\"pyl.launcher\"");
    for (; details && *details; details += 2) {
        append(&line, ",\"");
        append(&line, details[0]);
        append(&line, "\":\"");
        append_escaped(&line, details[1]);
        append(&line, "\"");
    }
    append(&line, "}\n");
    write_all(2, line.bytes, line.length);
}

/* `127.0.0.1:9001` or `localhost:9001` into an IPv4 address; names of other hosts are not looked up. */
static int parse_address(const char *text, uint32_t *address, uint16_t *port)
{
    const char *rest = after(text, "localhost");
    unsigned char parts[4] = {127, 0, 0, 1};
    if (!rest) {
        rest = text;
        for (int i = 0; i < 4; i++) {
            unsigned value = 0, digits = 0;
            for (; *rest >= '0' && *rest <= '9'; rest++, digits++)
                value = value * 10 + (unsigned)(*rest - '0');
            if (!digits || digits > 3 || value > 255 || (i < 3 && *rest++ != '.'))
                return 0;
            parts[i] = (unsigned char)value;
        }
    }
    unsigned number = 80;
    if (*rest == ':')
        for (number = 0, rest++; *rest >= '0' && *rest <= '9'; rest++)
            number = (number * 10 + (unsigned)(*rest - '0')) & 0xfffff;
    if (*rest || number > 65535)
        return 0;
    memcpy(address, parts, 4);
    *port = (uint16_t)(number >> 8 | number << 8);
    return 1;
}

static void post_init_error(const char *api, const char *type, const struct text *body)
{
    struct {
        uint16_t family, port;
        uint32_t address;
        char zero[8];
    } where = {.family = 2};
    if (!parse_address(api, &where.address, &where.port))
        return;
    long connection = system_call(SYS_socket, 2, 1 | O_CLOEXEC, 0);
    if (failed(connection) || failed(system_call(SYS_connect, connection, &where, sizeof where)))
        return;
    struct text request = {0};
    append(&request, "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: ");
    append(&request, api);
    append(&request, "\r\nContent-Type: application/vnd.aws.lambda.error+json\r\n"
                     "Lambda-Runtime-Function-Error-Type: ");
    append(&request, type);
    append(&request, "\r\nConnection: close\r\nContent-Length: ");
    append_number(&request, body->length);
    append(&request, "\r\n\r\n");
    append_bytes(&request, body->bytes, body->length);
    write_all((int)connection, request.bytes, request.length);
    char answer[512]; /* wait for it, so that the error has arrived before this process ends */
    system_call(SYS_read, connection, answer, sizeof answer);
    system_call(SYS_close, connection);
}

_Noreturn void fail(char *const *environment, const char *type, const char *message, const char *detail)
{
    const char *details[] = {"errorType", type, detail ? "detail" : NULL, detail, NULL};
    log_line("ERROR", message, details);
    const char *api = variable(environment, "AWS_LAMBDA_RUNTIME_API");
    if (api) {
        struct text body = {0};
        append(&body, "{\"errorMessage\":\"");
        append_escaped(&body, message);
        if (detail) {
            append(&body, ": ");
            append_escaped(&body, detail);
        }
        append(&body, "\",\"errorType\":\"");
        append(&body, type);
        append(&body, "\",\"requestId\":\"\",\"stackTrace\":[]}");
        post_init_error(api, type, &body);
    }
    system_call(SYS_exit_group, 1);
    __builtin_unreachable();
}

_Noreturn void refuse(char *const *environment, const char *why)
{
    fail(environment, "Runtime.InvalidImage",
         "pyl/image of this package cannot be used; build and deploy the package again", why);
}
