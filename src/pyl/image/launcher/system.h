/* What a program without a C library needs of Linux: system calls, strings, memory. */
#ifndef PYL_SYSTEM_H
#define PYL_SYSTEM_H

#include "system_call.h"

#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/auxvec.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>

#define SYSCALL_SELECT(_1, _2, _3, _4, _5, _6, NAME, ...) NAME
#define syscall_1(n, a) syscall3(n, (long)(a), 0, 0)
#define syscall_2(n, a, b) syscall3(n, (long)(a), (long)(b), 0)
#define syscall_3(n, a, b, c) syscall3(n, (long)(a), (long)(b), (long)(c))
#define syscall_4(n, a, b, c, d) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define syscall_5(n, a, b, c, d, e) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define syscall_6(n, a, b, c, d, e, f) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Make a system call with one to six arguments. Negative results down to -4095 are errors. */
#define system_call(n, ...)                                                                                            \
    SYSCALL_SELECT(__VA_ARGS__, syscall_6, syscall_5, syscall_4, syscall_3, syscall_2, syscall_1)(n, __VA_ARGS__)

enum { PAGE_SIZE = 4096, STDERR = 2 };

static inline int is_error(long result) { return (unsigned long)result > -4096ul; }

static inline size_t page_align(size_t bytes) { return (bytes + PAGE_SIZE - 1) & ~(size_t)(PAGE_SIZE - 1); }

static inline size_t page_floor(size_t bytes) { return bytes & ~(size_t)(PAGE_SIZE - 1); }

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);

static inline size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

static inline int str_equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* What follows `prefix` in `text`, or NULL if `text` does not begin with it. */
static inline const char *skip_prefix(const char *text, const char *prefix)
{
    while (*prefix)
        if (*text++ != *prefix++)
            return NULL;
    return text;
}

/* The value of a variable, or NULL. */
static inline const char *get_variable(char *const *environment, const char *name)
{
    for (; *environment; environment++) {
        const char *rest = skip_prefix(*environment, name);
        if (rest && *rest == '=')
            return rest + 1;
    }
    return NULL;
}

enum { DECIMAL_BYTES = 21 }; /* of the largest number, with its final zero byte */

/* Write a number in decimal, without a final zero byte; return the end. */
static inline char *write_decimal(char *to, unsigned long number)
{
    char digits[DECIMAL_BYTES];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    memcpy(to, digits + at, sizeof digits - at);
    return to + (sizeof digits - at);
}

static inline long open_readonly(const char *path)
{
    return system_call(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

/* Zeroed memory in whole pages, or NULL. */
static inline void *map_zeroed(size_t bytes)
{
    long address =
        system_call(__NR_mmap, 0, page_align(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return is_error(address) ? NULL : (void *)address;
}

#endif
