/* What a program without a C library needs of Linux on x86-64: system calls, strings, memory. */
#ifndef PYL_SYSTEM_H
#define PYL_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

enum {
    SYS_read = 0,
    SYS_write = 1,
    SYS_open = 2,
    SYS_close = 3,
    SYS_fstat = 5,
    SYS_mmap = 9,
    SYS_mprotect = 10,
    SYS_munmap = 11,
    SYS_rt_sigaction = 13,
    SYS_rt_sigprocmask = 14,
    SYS_pread64 = 17,
    SYS_access = 21,
    SYS_madvise = 28,
    SYS_getpid = 39,
    SYS_socket = 41,
    SYS_connect = 42,
    SYS_execve = 59,
    SYS_getcwd = 79,
    SYS_chdir = 80,
    SYS_readlink = 89,
    SYS_umask = 95,
    SYS_getrusage = 98,
    SYS_sigaltstack = 131,
    SYS_prctl = 157,
    SYS_arch_prctl = 158,
    SYS_readahead = 187,
    SYS_set_tid_address = 218,
    SYS_fadvise64 = 221,
    SYS_exit_group = 231,
    SYS_set_robust_list = 273,
    SYS_seccomp = 317,
    SYS_getrandom = 318,
    SYS_preadv2 = 327,
};

enum { O_RDONLY = 0, O_CLOEXEC = 02000000 };
enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum {
    MAP_PRIVATE = 2,
    MAP_FIXED = 0x10,
    MAP_ANONYMOUS = 0x20,
    MAP_NORESERVE = 0x4000,
    MAP_POPULATE = 0x8000,
    MAP_FIXED_NOREPLACE = 0x100000
};
enum { AT_NULL = 0, AT_IGNORE = 1, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7, AT_ENTRY = 9,
       AT_UID = 11, AT_EUID = 12, AT_GID = 13, AT_EGID = 14, AT_PLATFORM = 15, AT_HWCAP = 16, AT_CLKTCK = 17,
       AT_SECURE = 23, AT_RANDOM = 25, AT_HWCAP2 = 26, AT_EXECFN = 31, AT_SYSINFO_EHDR = 33, AT_MINSIGSTKSZ = 51 };
enum { ENOENT = 2, EACCES = 13, EINVAL = 22, ENOEXEC = 8, EPERM = 1, ENOMEM = 12, EOPNOTSUPP = 95 };

#define PAGE 4096ul

struct file_status { /* the kernel's `struct stat` */
    uint64_t before[6], size, after[11];
};

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long syscall3(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

#define SYSCALL_SELECT(_1, _2, _3, _4, _5, _6, NAME, ...) NAME
#define syscall_1(n, a) syscall3(n, (long)(a), 0, 0)
#define syscall_2(n, a, b) syscall3(n, (long)(a), (long)(b), 0)
#define syscall_3(n, a, b, c) syscall3(n, (long)(a), (long)(b), (long)(c))
#define syscall_4(n, a, b, c, d) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define syscall_5(n, a, b, c, d, e) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define syscall_6(n, a, b, c, d, e, f) \
    syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define system_call(n, ...)                                                                              \
    SYSCALL_SELECT(__VA_ARGS__, syscall_6, syscall_5, syscall_4, syscall_3, syscall_2, syscall_1)(n, __VA_ARGS__)

static inline int failed(long result) { return (unsigned long)result > -4096ul; }

static inline size_t length_of(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

static inline int equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static inline const char *after(const char *text, const char *prefix)
{
    while (*prefix)
        if (*text++ != *prefix++)
            return NULL;
    return text;
}

/* The value of an environment variable, or NULL. */
static inline const char *variable(char *const *environment, const char *name)
{
    for (; *environment; environment++) {
        const char *rest = after(*environment, name);
        if (rest && *rest == '=')
            return rest + 1;
    }
    return NULL;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);

/* Fresh zeroed memory, or NULL. */
static inline void *fresh_memory(size_t bytes)
{
    long got = system_call(SYS_mmap, 0, (bytes + PAGE - 1) & ~(PAGE - 1), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return failed(got) ? NULL : (void *)got;
}

/* What the kernel takes and gives in rt_sigaction. */
struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

#endif
