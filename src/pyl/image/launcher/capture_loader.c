/* Starts the program for a capture, in a way that makes its memory fit for an image: no vdso (the target's kernel has
 * another), no brk heap, a full-sized stack and the loader at addresses that no kernel chooses, a processor that faults
 * when it is asked what it is (where it can), and a seccomp filter that stops the program for the tracer at each new
 * mapping.
 *
 * capture_loader LOADER LOADER_ADDRESS STACK_ADDRESS STACK_BYTES RANDOM_LOW RANDOM_HIGH USER GROUP ARGUMENT... ;
 * numbers in hexadecimal. The random bytes make the stack canary and the pointer guard; equal ones make two captures
 * comparable. */
#include "capture.h"
#include "loader_abi.h"
#include "processor.h"
#include "system.h"

#include <linux/elf.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

__attribute__((used)) char loader_stack[65536] __attribute__((aligned(64)));

ENTRY_POINT(start, loader_stack, 65536);

enum {
    EXIT_CODE = 70, /* EX_SOFTWARE of sysexits.h */
    MOST_PROGRAM_HEADERS = 32,
    VECTOR_LENGTH = 20,
    FIRST_ARGUMENT = 9, /* of the program's own */
};

static _Noreturn void die(const char *message)
{
    static const char prefix[] = "capture loader: ";
    system_call(__NR_write, STDERR, prefix, sizeof prefix - 1);
    system_call(__NR_write, STDERR, message, strlen(message));
    system_call(__NR_write, STDERR, "\n", 1);
    system_call(__NR_exit_group, EXIT_CODE);
    __builtin_unreachable();
}

static unsigned long parse_hexadecimal(const char *text)
{
    unsigned long value = 0;
    for (; *text; text++)
        value = value * 16 + (unsigned long)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return value;
}

static void map_part(long file, unsigned long base, const Elf64_Phdr *part)
{
    unsigned long start = page_floor(part->p_vaddr), file_end = part->p_vaddr + part->p_filesz;
    unsigned long end = page_align(part->p_vaddr + part->p_memsz), mapped_end = page_align(file_end);
    int protection = (part->p_flags & PF_R ? PROT_READ : 0) | (part->p_flags & PF_W ? PROT_WRITE : 0) |
                     (part->p_flags & PF_X ? PROT_EXEC : 0);
    if (is_error(system_call(__NR_mmap, base + start, mapped_end - start, protection, MAP_PRIVATE | MAP_FIXED, file,
                             page_floor(part->p_offset))))
        die("cannot map the loader");
    if (part->p_memsz > part->p_filesz) {
        memset((void *)(base + file_end), 0, mapped_end - file_end);
        if (end > mapped_end && is_error(system_call(__NR_mmap, base + mapped_end, end - mapped_end, protection,
                                                     MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0)))
            die("cannot map the loader's zeros");
    }
}

/* Map the loader at `base`, as the kernel would; return its header. */
static Elf64_Ehdr map_loader(const char *path, unsigned long base)
{
    Elf64_Ehdr header = {0};
    long file = open_readonly(path);
    if (is_error(file) || system_call(__NR_pread64, file, &header, sizeof header, 0) != sizeof header)
        die("cannot read the loader");
    Elf64_Phdr parts[MOST_PROGRAM_HEADERS] = {0};
    size_t bytes = header.e_phnum * sizeof *parts;
    if (bytes > sizeof parts || system_call(__NR_pread64, file, parts, bytes, header.e_phoff) != (long)bytes)
        die("cannot read the loader's program headers");
    for (unsigned i = 0; i < header.e_phnum; i++)
        if (parts[i].p_type == PT_LOAD)
            map_part(file, base, &parts[i]);
    system_call(__NR_close, file);
    return header;
}

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define LOAD_ARGUMENT(index) LOAD(offsetof(struct seccomp_data, args) + (index) * sizeof(uint64_t)) /* its low half */
#define JUMP_IF_EQUAL(value, if_true, if_false) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, if_true, if_false)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define ON(number, action) JUMP_IF_EQUAL(number, 0, 1), RETURN(action)
#define FAIL_WITH(error) (SECCOMP_RET_ERRNO | (error))

static void install_filter(void)
{
    struct sock_filter filter[] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        JUMP_IF_EQUAL(SECCOMP_ARCHITECTURE, 1, 0),
        RETURN(FAIL_WITH(ENOSYS)),
        LOAD(offsetof(struct seccomp_data, nr)),
        /* "No room": malloc takes mappings. A restored process has a brk of its own. */
        ON(__NR_brk, FAIL_WITH(0)),
        /* Else the kernel writes processor numbers into the image's memory. */
        ON(__NR_rseq, FAIL_WITH(ENOSYS)),
        ON(__NR_io_uring_setup, FAIL_WITH(ENOSYS)),
        ON(__NR_mmap, SECCOMP_RET_TRACE),
        ON(__NR_munmap, SECCOMP_RET_TRACE),
        ON(__NR_mremap, SECCOMP_RET_TRACE),
        ON(__NR_getpid, SECCOMP_RET_TRACE),
        ON(__NR_gettid, SECCOMP_RET_TRACE),
        ON(__NR_kill, SECCOMP_RET_TRACE),
        ON(__NR_tgkill, SECCOMP_RET_TRACE),
        /* What tells the program where it is, and when (pyl.image.capture.world_calls). */
        ON(__NR_getrandom, SECCOMP_RET_TRACE),
        ON(__NR_clock_gettime, SECCOMP_RET_TRACE),
        ON(__NR_gettimeofday, SECCOMP_RET_TRACE),
        ON(__NR_getppid, SECCOMP_RET_TRACE),
        ON(__NR_getuid, SECCOMP_RET_TRACE),
        ON(__NR_geteuid, SECCOMP_RET_TRACE),
        ON(__NR_getgid, SECCOMP_RET_TRACE),
        ON(__NR_getegid, SECCOMP_RET_TRACE),
        ON(__NR_uname, SECCOMP_RET_TRACE),
        ON(__NR_sched_getaffinity, SECCOMP_RET_TRACE),
        ON(__NR_openat, SECCOMP_RET_TRACE),
        ON(__NR_newfstatat, SECCOMP_RET_TRACE),
        ON(__NR_statx, SECCOMP_RET_TRACE),
        ON(__NR_faccessat, SECCOMP_RET_TRACE),
        ON(__NR_faccessat2, SECCOMP_RET_TRACE),
        ON(__NR_readlinkat, SECCOMP_RET_TRACE),
        ON(__NR_execve, SECCOMP_RET_TRACE),
        ON(__NR_getresuid, SECCOMP_RET_TRACE),
        ON(__NR_getresgid, SECCOMP_RET_TRACE),
        /* By which it changes what no image brings back (pyl.image.capture.changes). */
        ON(__NR_sched_setaffinity, SECCOMP_RET_TRACE),
        ON(__NR_sched_setscheduler, SECCOMP_RET_TRACE),
        ON(__NR_sched_setattr, SECCOMP_RET_TRACE),
        ON(__NR_setsid, SECCOMP_RET_TRACE),
        ON(__NR_setpgid, SECCOMP_RET_TRACE),
        ON(__NR_personality, SECCOMP_RET_TRACE),
        ON(__NR_mlock, SECCOMP_RET_TRACE),
        ON(__NR_mlock2, SECCOMP_RET_TRACE),
        ON(__NR_mlockall, SECCOMP_RET_TRACE),
        ON(__NR_dup3, SECCOMP_RET_TRACE),
        /* By which it makes descriptors (pyl.image.capture.descriptor_calls). */
        ON(__NR_pipe2, SECCOMP_RET_TRACE),
        ON(__NR_socketpair, SECCOMP_RET_TRACE),
        ON(__NR_socket, SECCOMP_RET_TRACE),
        ON(__NR_eventfd2, SECCOMP_RET_TRACE),
        ON(__NR_memfd_create, SECCOMP_RET_TRACE),
        ON(__NR_dup, SECCOMP_RET_TRACE),
        ON(__NR_epoll_create1, SECCOMP_RET_TRACE),
        ON(__NR_timerfd_create, SECCOMP_RET_TRACE),
        ON(__NR_signalfd4, SECCOMP_RET_TRACE),
        ON(__NR_inotify_init1, SECCOMP_RET_TRACE),
#ifdef __NR_open /* architectures that are older than the calls above */
        ON(__NR_time, SECCOMP_RET_TRACE),
        ON(__NR_open, SECCOMP_RET_TRACE),
        ON(__NR_stat, SECCOMP_RET_TRACE),
        ON(__NR_lstat, SECCOMP_RET_TRACE),
        ON(__NR_access, SECCOMP_RET_TRACE),
        ON(__NR_readlink, SECCOMP_RET_TRACE),
        ON(__NR_dup2, SECCOMP_RET_TRACE),
        ON(__NR_pipe, SECCOMP_RET_TRACE),
        ON(__NR_eventfd, SECCOMP_RET_TRACE),
        ON(__NR_epoll_create, SECCOMP_RET_TRACE),
        ON(__NR_inotify_init, SECCOMP_RET_TRACE),
#endif
        JUMP_IF_EQUAL(__NR_prctl, 0, 33),
        LOAD_ARGUMENT(0),
        ON(PR_SET_DUMPABLE, SECCOMP_RET_TRACE),
        ON(PR_SET_KEEPCAPS, SECCOMP_RET_TRACE),
        ON(PR_SET_NAME, SECCOMP_RET_TRACE),
        ON(PR_SET_SECCOMP, SECCOMP_RET_TRACE),
        ON(PR_CAPBSET_DROP, SECCOMP_RET_TRACE),
        ON(PR_SET_TSC, SECCOMP_RET_TRACE),
        ON(PR_SET_SECUREBITS, SECCOMP_RET_TRACE),
        ON(PR_SET_TIMERSLACK, SECCOMP_RET_TRACE),
        ON(PR_MCE_KILL, SECCOMP_RET_TRACE),
        ON(PR_SET_CHILD_SUBREAPER, SECCOMP_RET_TRACE),
        ON(PR_SET_NO_NEW_PRIVS, SECCOMP_RET_TRACE),
        ON(PR_SET_THP_DISABLE, SECCOMP_RET_TRACE),
        ON(PR_CAP_AMBIENT, SECCOMP_RET_TRACE),
        ON(PR_SET_SPECULATION_CTRL, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 8),
        JUMP_IF_EQUAL(PYL_OPTIONS >> 8, 0, 1),
        RETURN(SECCOMP_RET_TRACE),
        RETURN(SECCOMP_RET_ALLOW),
        JUMP_IF_EQUAL(__NR_clone, 0, 4), /* as fork: threads, and children that execute at once, share memory */
        LOAD_ARGUMENT(0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_VM, 1, 0),
        RETURN(SECCOMP_RET_TRACE),
        LOAD(offsetof(struct seccomp_data, nr)),
        JUMP_IF_EQUAL(__NR_fcntl, 0, 6),
        LOAD_ARGUMENT(1),
        ON(F_DUPFD, SECCOMP_RET_TRACE),
        ON(F_DUPFD_CLOEXEC, SECCOMP_RET_TRACE),
        LOAD(offsetof(struct seccomp_data, nr)),
        JUMP_IF_EQUAL(__NR_madvise, 0, 3),
        LOAD_ARGUMENT(2),
        JUMP_IF_EQUAL(MADV_DONTFORK, 0, 1),
        RETURN(SECCOMP_RET_TRACE),
        LOAD(offsetof(struct seccomp_data, nr)),
        JUMP_IF_EQUAL(__NR_mprotect, 0, 3),
        LOAD_ARGUMENT(2),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
        RETURN(SECCOMP_RET_TRACE),
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (is_error(system_call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) ||
        is_error(system_call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)))
        die("the kernel refuses a seccomp filter");
}

static size_t count_strings(char *const *strings)
{
    size_t count = 0;
    while (strings[count])
        count++;
    return count;
}

/* Copy a string below `top`; return its address. */
static char *push(char *top, const char *text, size_t bytes) { return memcpy(top - bytes, text, bytes); }

/* What the program learns of itself from its auxiliary vector. */
struct identity {
    unsigned long random[2], user, group;
};

/* Fill the stack that ends at `top` as the kernel does (System V ABI, "Initial Stack and Register State"); return its
 * lowest address: the strings at the top, the vectors below them. */
static unsigned long fill_stack(char *top, char *const *arguments, char *const *environment, unsigned long base,
                                const Elf64_Ehdr *loader, const struct identity *identity)
{
    size_t argument_count = count_strings(arguments), count = argument_count + count_strings(environment);
    char *random_bytes = push(top - sizeof(long), (const char *)identity->random, sizeof identity->random);
    char *platform = push(random_bytes, PLATFORM, sizeof PLATFORM), *text = platform;
    char **strings = map_zeroed((count + 1) * sizeof *strings);
    if (!strings)
        die("out of memory");
    for (size_t i = 0; i < count; i++) {
        const char *string = i < argument_count ? arguments[i] : environment[i - argument_count];
        strings[i] = text = push(text, string, strlen(string) + 1);
    }
    const unsigned long vector[][2] = {
        {AT_PHDR, base + loader->e_phoff},
        {AT_PHENT, loader->e_phentsize},
        {AT_PHNUM, loader->e_phnum},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_BASE, 0},
        {AT_ENTRY, base + loader->e_entry},
        {AT_UID, identity->user},
        {AT_EUID, identity->user},
        {AT_GID, identity->group},
        {AT_EGID, identity->group},
        {AT_PLATFORM, (unsigned long)platform},
        {AT_HWCAP, HWCAP},
        {AT_HWCAP2, HWCAP2},
        {AT_CLKTCK, 100},
        {AT_SECURE, 0},
        {AT_RANDOM, (unsigned long)random_bytes},
        {AT_EXECFN, (unsigned long)strings[0]},
        {AT_MINSIGSTKSZ, SIGNAL_STACK_BYTES},
        {AT_NULL, 0},
    };
    _Static_assert(sizeof vector <= VECTOR_LENGTH * sizeof *vector, "the stack has room for the vector");
    size_t words = 1 + (argument_count + 1) + (count - argument_count + 1) + 2 * VECTOR_LENGTH;
    unsigned long stack = ((unsigned long)text - words * sizeof(long)) & ~63ul, *word = (unsigned long *)stack;
    *word++ = argument_count;
    for (size_t i = 0; i < argument_count; i++)
        *word++ = (unsigned long)strings[i];
    *word++ = 0;
    for (size_t i = argument_count; i < count; i++)
        *word++ = (unsigned long)strings[i];
    *word++ = 0;
    memcpy(word, vector, sizeof vector);
    system_call(__NR_munmap, strings, page_align((count + 1) * sizeof *strings));
    return stack;
}

__attribute__((used)) _Noreturn void start(long *stack)
{
    long argument_count = stack[0];
    char **arguments = (char **)(stack + 1), **environment = arguments + argument_count + 1;
    if (argument_count < FIRST_ARGUMENT + 1)
        die("too few arguments");
    unsigned long base = parse_hexadecimal(arguments[2]), stack_start = parse_hexadecimal(arguments[3]);
    unsigned long stack_bytes = parse_hexadecimal(arguments[4]);
    struct identity identity = {
        .random = {parse_hexadecimal(arguments[5]), parse_hexadecimal(arguments[6])},
        .user = parse_hexadecimal(arguments[7]),
        .group = parse_hexadecimal(arguments[8]),
    };
    prepare_processor();
    install_filter(); /* before the loader, which asks for the processor too, is mapped */
    Elf64_Ehdr loader = map_loader(arguments[1], base);
    if (is_error(system_call(__NR_mmap, stack_start, stack_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0)))
        die("cannot map a stack");
    char *top = (char *)(stack_start + stack_bytes);
    enter_program(fill_stack(top, arguments + FIRST_ARGUMENT, environment, base, &loader, &identity),
                  base + loader.e_entry);
}
