/* Starts the program for a capture, the way that makes its memory fit for an image:
 * no vdso (the target's kernel has another), no brk heap, a full-sized stack and the loader at addresses that no
 * kernel chooses, a processor that answers `cpuid` by a fault where it can, and a seccomp filter that tells the
 * tracer of every new mapping.
 *
 * starter LOADER LOADER_ADDRESS STACK_ADDRESS STACK_BYTES ARGUMENT... ; addresses and sizes in hexadecimal. */
#include "capture.h"
#include "system.h"

__attribute__((used)) char starter_stack[65536] __attribute__((aligned(64)));

__asm__(".globl _start\n"
        "_start:\n"
        "  mov %rsp, %rdi\n"
        "  lea starter_stack+65536(%rip), %rsp\n"
        "  xor %ebp, %ebp\n"
        "  call start\n"
        "  hlt\n");

static _Noreturn void stop(const char *why)
{
    system_call(SYS_write, 2, "starter: ", 9);
    system_call(SYS_write, 2, why, length_of(why));
    system_call(SYS_write, 2, "\n", 1);
    system_call(SYS_exit_group, 70);
    __builtin_unreachable();
}

static unsigned long number(const char *text)
{
    unsigned long value = 0;
    for (; *text; text++)
        value = value * 16 + (unsigned long)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return value;
}

struct elf_header {
    unsigned char identity[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t bytes, program_header_bytes, program_header_count;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};

/* Map the loader at `base`, as the kernel would; fills in what the auxiliary vector says of it. */
static void map_loader(const char *path, unsigned long base, struct elf_header *header)
{
    long file = system_call(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
    if (failed(file) || system_call(SYS_pread64, file, header, sizeof *header, 0) != sizeof *header)
        stop("cannot read the loader");
    struct program_header headers[32];
    size_t bytes = header->program_header_count * sizeof *headers;
    if (bytes > sizeof headers || system_call(SYS_pread64, file, headers, bytes, header->program_headers) != (long)bytes)
        stop("cannot read the loader's program headers");
    for (unsigned i = 0; i < header->program_header_count; i++) {
        const struct program_header *part = &headers[i];
        if (part->type != 1 /* PT_LOAD */)
            continue;
        unsigned long from = part->address & ~(PAGE - 1), file_end = part->address + part->file_bytes;
        unsigned long end = (part->address + part->memory_bytes + PAGE - 1) & ~(PAGE - 1);
        unsigned long mapped_end = (file_end + PAGE - 1) & ~(PAGE - 1);
        int protection = (part->flags & 4 ? PROT_READ : 0) | (part->flags & 2 ? PROT_WRITE : 0) | (part->flags & 1 ? PROT_EXEC : 0);
        if (failed(system_call(SYS_mmap, base + from, mapped_end - from, protection, MAP_PRIVATE | MAP_FIXED, file,
                               part->offset & ~(PAGE - 1))))
            stop("cannot map the loader");
        if (part->memory_bytes > part->file_bytes) {
            memset((void *)(base + file_end), 0, mapped_end - file_end);
            if (end > mapped_end &&
                failed(system_call(SYS_mmap, base + mapped_end, end - mapped_end, protection,
                                   MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0)))
                stop("cannot map the loader's zeros");
        }
    }
    system_call(SYS_close, file);
}

struct filter_step {
    uint16_t code;
    uint8_t if_true, if_false;
    uint32_t value;
};

enum { LOAD = 0x20, EQUAL = 0x15, SET = 0x45, SHIFT = 0x74, RETURN = 0x06 };
enum { ALLOW = 0x7fff0000, TRACE = 0x7ff00000, ERROR = 0x00050000, ENOSYS = 38 };
enum { SYS_brk = 12, SYS_mremap = 25, SYS_kill = 62, SYS_tgkill = 234, SYS_rseq = 334, SYS_io_uring_setup = 425 };

static void install_filter(void)
{
#define ANSWER(call, action) {EQUAL, 0, 1, call}, {RETURN, 0, 0, action}
    static const struct filter_step steps[] = {
        {LOAD, 0, 0, 4 /* architecture */},
        {EQUAL, 1, 0, 0xc000003e /* x86-64 */},
        {RETURN, 0, 0, ERROR | ENOSYS},
        {LOAD, 0, 0, 0 /* number */},
        ANSWER(SYS_brk, ERROR | 0), /* "no room": malloc takes mappings; a restored process has a brk of its own */
        ANSWER(SYS_rseq, ERROR | ENOSYS), /* else the kernel writes processor numbers into the image's memory */
        ANSWER(SYS_io_uring_setup, ERROR | ENOSYS),
        ANSWER(SYS_mmap, TRACE),
        ANSWER(SYS_munmap, TRACE),
        ANSWER(SYS_mremap, TRACE),
        ANSWER(SYS_getpid, TRACE),
        ANSWER(SYS_kill, TRACE),
        ANSWER(SYS_tgkill, TRACE),
        {EQUAL, 0, 4, PYL_CALL},
        {LOAD, 0, 0, 16 /* first argument */},
        {SHIFT, 0, 0, 8},
        {EQUAL, 0, 1, PYL_OPTIONS >> 8},
        {RETURN, 0, 0, TRACE},
        {LOAD, 0, 0, 0 /* number */},
        {EQUAL, 0, 3, SYS_mprotect},
        {LOAD, 0, 0, 32 /* third argument */},
        {SET, 0, 1, PROT_EXEC},
        {RETURN, 0, 0, TRACE},
        {RETURN, 0, 0, ALLOW},
    };
    const struct {
        uint16_t count;
        const struct filter_step *steps;
    } program = {sizeof steps / sizeof *steps, steps};
    if (failed(system_call(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0)) ||
        failed(system_call(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, &program)))
        stop("the kernel refuses a seccomp filter");
}

__attribute__((used)) _Noreturn void start(long *stack)
{
    long count = stack[0];
    char **arguments = (char **)(stack + 1), **environment = arguments + count + 1;
    if (count < 6)
        stop("too few arguments");
    unsigned long base = number(arguments[2]), low = number(arguments[3]), bytes = number(arguments[4]);
    struct elf_header header;
    system_call(SYS_arch_prctl, 0x1012 /* ARCH_SET_CPUID */, 0); /* a second net below the tracer's breakpoints */
    install_filter(); /* before the loader, which asks for the processor too, is mapped */
    map_loader(arguments[1], base, &header);
    if (failed(system_call(SYS_mmap, low, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0)))
        stop("cannot map a stack");

    /* Strings at the top, then the vectors below them. */
    char **given = arguments + 5;
    long given_count = count - 5, environment_count = 0;
    while (environment[environment_count])
        environment_count++;
    char *text = (char *)(low + bytes);
    text -= 8;
    text -= 16;
    char *random = text;
    if (system_call(SYS_getrandom, random, 16, 0) != 16)
        stop("no random bytes");
    static const char platform[] = "x86_64";
    text -= sizeof platform;
    char *platform_text = memcpy(text, platform, sizeof platform);
    enum { VECTOR = 20 };
    char **placed = fresh_memory((size_t)(given_count + environment_count + 2) * sizeof *placed), **next = placed;
    if (!placed)
        stop("out of memory");
    for (long i = 0; i < given_count + environment_count; i++) {
        const char *from = i < given_count ? given[i] : environment[i - given_count];
        size_t length = length_of(from) + 1;
        text -= length;
        placed[i] = memcpy(text, from, length);
    }
    size_t words = 1 + (size_t)given_count + 1 + (size_t)environment_count + 1 + 2 * VECTOR;
    unsigned long *top = (unsigned long *)(((unsigned long)text - words * 8) & ~63ul), *word = top;
    *word++ = (unsigned long)given_count;
    for (long i = 0; i < given_count; i++)
        *word++ = (unsigned long)*next++;
    *word++ = 0;
    for (long i = 0; i < environment_count; i++)
        *word++ = (unsigned long)*next++;
    *word++ = 0;
    const unsigned long auxiliary[][2] = {
        {AT_PHDR, base + header.program_headers},
        {AT_PHENT, header.program_header_bytes},
        {AT_PHNUM, header.program_header_count},
        {AT_PAGESZ, PAGE},
        {AT_BASE, 0},
        {AT_ENTRY, base + header.entry},
        {AT_UID, 0}, {AT_EUID, 0}, {AT_GID, 0}, {AT_EGID, 0},
        {AT_PLATFORM, (unsigned long)platform_text},
        {AT_HWCAP, 0x178bfbff}, /* cpuid 1 edx of every x86-64-v3 processor */
        {AT_HWCAP2, 0},
        {AT_CLKTCK, 100},
        {AT_SECURE, 0},
        {AT_RANDOM, (unsigned long)random},
        {AT_EXECFN, (unsigned long)placed[0]},
        {AT_MINSIGSTKSZ, 12288}, /* enough for the largest register file that a target may have */
        {AT_NULL, 0},
    };
    memcpy(word, auxiliary, sizeof auxiliary);
    system_call(SYS_munmap, placed, ((size_t)(given_count + environment_count + 2) * sizeof *placed + PAGE - 1) & ~(PAGE - 1));
    unsigned long entry = base + header.entry;
    __asm__ volatile("mov %0, %%rsp\n xor %%edx, %%edx\n xor %%ebp, %%ebp\n jmp *%1" : : "r"(top), "r"(entry) : "memory");
    __builtin_unreachable();
}
