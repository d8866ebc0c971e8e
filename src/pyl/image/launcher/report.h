/* How the launcher says that something is wrong: a line on stderr, and the Runtime API's init error. */
#ifndef PYL_REPORT_H
#define PYL_REPORT_H

/* Text that only a failing start reads. It stands at the end of the launcher, of which the kernel reads 16 kB at once.
 */
#define MESSAGE(text)                                                                                                  \
    (__extension__({                                                                                                   \
        static const char message[] __attribute__((section(".cold.text"))) = text;                                     \
        (const char *)message;                                                                                         \
    }))

/* One JSON log line; `details` are name, value, name, value, ..., NULL (values are escaped). */
void log_line(const char *level, const char *message, const char *const *details);

/* Tell the user and, when there is one, the Runtime API; then exit with 1. `detail` may be NULL. */
_Noreturn void fail(char *const *environment, const char *type, const char *message, const char *detail);

/* As `fail`, because of what is wrong with the image. */
_Noreturn void refuse(char *const *environment, const char *why);

#endif
