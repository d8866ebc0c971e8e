/* See report.h. Text is collected in one growing buffer, so that no length is a limit. */
#include "report.h"

#include "system.h"

#include <linux/in.h>

#pragma clang section text = ".cold.code" /* see MESSAGE */

enum { AF_INET = 2, SOCK_STREAM = 1 }; /* uapi headers lack them */

struct text {
    char *bytes;
    size_t length, room;
};

static void append_bytes(struct text *text, const char *bytes, size_t count)
{
    if (text->length + count > text->room) {
        size_t room = (text->length + count) * 2 + PAGE_SIZE;
        char *larger = map_zeroed(room);
        if (!larger)
            return; /* out of memory: say what fits */
        memcpy(larger, text->bytes, text->length);
        text->bytes = larger;
        text->room = room;
    }
    memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
}

static void append(struct text *text, const char *string) { append_bytes(text, string, strlen(string)); }

static void append_number(struct text *text, unsigned long number)
{
    char digits[DECIMAL_BYTES];
    append_bytes(text, digits, (size_t)(write_decimal(digits, number) - digits));
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
        long written = system_call(__NR_write, descriptor, bytes, count);
        if (is_error(written) || written == 0)
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
    write_all(STDERR, line.bytes, line.length);
}

/* `127.0.0.1:9001` or `localhost:9001` into an IPv4 address; names of other hosts are not looked up. */
static int parse_address(const char *text, uint32_t *address, uint16_t *port)
{
    const char *rest = skip_prefix(text, "localhost");
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
    struct sockaddr_in server = {.sin_family = AF_INET};
    if (!parse_address(api, &server.sin_addr.s_addr, &server.sin_port))
        return;
    long connection = system_call(__NR_socket, AF_INET, SOCK_STREAM | O_CLOEXEC, 0);
    if (is_error(connection) || is_error(system_call(__NR_connect, connection, &server, sizeof server)))
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
    system_call(__NR_read, connection, answer, sizeof answer);
    system_call(__NR_close, connection);
}

_Noreturn void fail(char *const *environment, const char *type, const char *message, const char *detail)
{
    const char *details[] = {"errorType", type, detail ? "detail" : NULL, detail, NULL};
    log_line("ERROR", message, details);
    const char *api = get_variable(environment, "AWS_LAMBDA_RUNTIME_API");
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
    system_call(__NR_exit_group, 1);
    __builtin_unreachable();
}

_Noreturn void refuse(char *const *environment, const char *why)
{
    fail(environment, "Runtime.InvalidImage",
         "pyl/image of this package cannot be used; build and deploy the package again", why);
}
