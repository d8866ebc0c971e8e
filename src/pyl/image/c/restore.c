/* See restore.h. Nothing is mapped over before every check has passed, so that a plain start stays possible. */
#include "restore.h"

#include "capture.h"
#include "guards.h"
#include "image.h"
#include "report.h"
#include "system.h"

enum { FAR = 1 << 30 };          /* bytes between parts of the address space */
enum { FIRST_READ = 128 << 10 }; /* bytes: the header, and what stands first behind it */
enum { RWF_NOWAIT = 8 };
enum { MADV_RANDOM = 1, MADV_WIPEONFORK = 18, MADV_POPULATE_WRITE = 23 };

struct file_status { /* the kernel's `struct stat` */
    uint64_t before[6], size, after[11];
};

static struct start *started;
static struct pyl_restored restored;

/* -- reading the file ----------------------------------------------------------------------------- */

static _Noreturn void refuse(const char *why)
{
    fail(started->environment, "Runtime.InvalidImage",
         "pyl/image of this package cannot be used; build and deploy the package again", why);
}

static uint64_t checksum(const struct image_header *header)
{
    const uint64_t *word = (const uint64_t *)header, *end = word + header->header_bytes / 8;
    uint64_t a = 0x9e3779b97f4a7c15ul, b = 0xc2b2ae3d27d4eb4ful; /* two lanes, so that they overlap */
    for (; word + 1 < end; word += 2) {
        uint64_t first = word == &header->checksum ? 0 : word[0], second = word + 1 == &header->checksum ? 0 : word[1];
        a = (a ^ first) * 0xff51afd7ed558ccdul;
        a ^= a >> 32;
        b = (b ^ second) * 0xc4ceb9fe1a85ec53ul;
        b ^= b >> 29;
    }
    return a ^ (b << 1 | b >> 63);
}

static int table_fits(const struct image_header *header, struct table table, size_t size)
{
    return table.offset % 8 == 0 && table.offset <= header->header_bytes &&
           table.count <= (header->header_bytes - table.offset) / size;
}

static const struct image_header *read_header(long file)
{
    struct image_header head;
    struct file_status status;
    if (system_call(SYS_pread64, file, &head, sizeof head, 0) != sizeof head)
        refuse("it is cut short");
    if (head.magic != IMAGE_MAGIC)
        refuse("it is no process image");
    if (head.version != IMAGE_VERSION)
        refuse("it was made by another version of pyl");
    if (failed(system_call(SYS_fstat, file, &status)) || status.size != head.file_bytes)
        refuse("it does not have its length; the package was not unpacked whole");
    if (head.header_bytes < sizeof head || head.header_bytes % 16 || head.header_bytes > head.file_bytes)
        refuse("its header is damaged");
    long mapped = system_call(SYS_mmap, 0, head.header_bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (failed(mapped))
        refuse("its header cannot be mapped");
    const struct image_header *header = (const struct image_header *)mapped;
    if (checksum(header) != head.checksum || header->magic != head.magic)
        refuse("its header is damaged");
    if (!table_fits(header, header->variants, sizeof(struct image_variant)) ||
        !table_fits(header, header->files, sizeof(struct image_file)))
        refuse("its tables are damaged");
    return header;
}

static void check_tables(const struct image_header *header, const struct image_variant *variant)
{
    if (!table_fits(header, variant->guards, sizeof(struct image_guard)) ||
        !table_fits(header, variant->segments, sizeof(struct image_segment)) ||
        !table_fits(header, variant->actions, sizeof(struct image_action)) ||
        !table_fits(header, variant->read_ahead, sizeof(struct image_range)) ||
        !table_fits(header, variant->populate, sizeof(struct image_range)))
        refuse("its tables are damaged");
}

/* -- restoring ------------------------------------------------------------------------------------ */

static void map_segment(long file, const struct image_segment *segment)
{
    int zero = segment->flags & SEGMENT_ZERO;
    long flags = MAP_PRIVATE | (segment->flags & SEGMENT_OVER ? MAP_FIXED : MAP_FIXED_NOREPLACE) | (zero ? MAP_ANONYMOUS : 0) |
                 (segment->flags & SEGMENT_NO_RESERVE ? MAP_NORESERVE : 0);
    long got = system_call(SYS_mmap, segment->address, segment->length, segment->protection, flags, zero ? -1 : file,
                           segment->offset);
    if (got == (long)segment->address) {
        if (segment->flags & SEGMENT_WIPE_ON_FORK)
            system_call(SYS_madvise, segment->address, segment->length, MADV_WIPEONFORK);
        return;
    }
    if (got == -ENOMEM)
        fail(started->environment, "Runtime.OutOfMemory", "no memory for the process image; raise the function's memory", NULL);
    if (got == -EACCES || got == -EPERM)
        fail(started->environment, "Runtime.CannotStart",
             "the process image may not be mapped as executable; mount the package without noexec", NULL);
    fail(started->environment, "Runtime.CannotStart", "the process image cannot be mapped at its address", NULL);
}

/* What is needed now and then shall not be read with its neighbours. One request serves all that lies in one part of
 * the address space; it passes over what is not mapped there. */
static void advise_random(const struct image_segment *segments, uint32_t count)
{
    uint64_t start = 0, end = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!(segments[i].flags & SEGMENT_RANDOM))
            continue;
        if (!end || segments[i].address - end > FAR) {
            if (end)
                system_call(SYS_madvise, start, end - start, MADV_RANDOM);
            start = segments[i].address;
        }
        end = segments[i].address + segments[i].length;
    }
    if (end)
        system_call(SYS_madvise, start, end - start, MADV_RANDOM);
}

/* The library of the package that the image's file `number` is. */
static long open_library(const struct image_header *header, uint32_t number)
{
    if (number > header->files.count)
        refuse("its tables are damaged");
    const struct image_file *named = TABLE(header, header->files, struct image_file) + number - 1;
    struct file_status status;
    long file = system_call(SYS_open, TEXT(header, named->path), O_RDONLY | O_CLOEXEC, 0);
    if (failed(file) || failed(system_call(SYS_fstat, file, &status)) || status.size != named->bytes)
        refuse("a library of the package that belongs to it is missing or has another length");
    return file;
}

static void map_all(const struct image_header *header, const struct image_variant *variant, long image)
{
    const struct image_segment *segments = TABLE(header, variant->segments, struct image_segment);
    uint32_t count = variant->segments.count, opened = 0;
    long library = -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = segments[i].flags >> SEGMENT_FILE_SHIFT;
        if (segments[i].flags & SEGMENT_OVER)
            continue;
        if (number && number != opened) { /* what is mapped from one file lies together */
            if (opened)
                system_call(SYS_close, library);
            library = open_library(header, opened = number);
        }
        map_segment(number ? library : image, &segments[i]);
    }
    if (opened)
        system_call(SYS_close, library);
    advise_random(segments, count);
    for (uint32_t i = 0; i < count; i++)
        if (segments[i].flags & SEGMENT_OVER)
            map_segment(image, &segments[i]);
}

static void set_kernel_state(const struct image_header *header, const struct image_variant *variant)
{
    const struct image_state *state = &variant->state;
    const struct image_action *actions = TABLE(header, variant->actions, struct image_action);
    for (uint32_t i = 0; i < variant->actions.count; i++) {
        struct kernel_action action = {(void *)actions[i].handler, actions[i].flags, (void *)actions[i].restorer,
                                       actions[i].mask};
        system_call(SYS_rt_sigaction, actions[i].number, &action, NULL, 8);
    }
    system_call(SYS_arch_prctl, 0x1002 /* ARCH_SET_FS */, state->fs_base);
    if (state->gs_base)
        system_call(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, state->gs_base);
    long thread = system_call(SYS_set_tid_address, state->thread_id_address);
    if (state->thread_id_address)
        *(int *)state->thread_id_address = (int)thread;
    system_call(SYS_set_robust_list, state->robust_list, state->robust_list_bytes);
    if (state->alternate_stack_bytes) {
        struct {
            uint64_t stack;
            int flags;
            uint64_t bytes;
        } stack = {state->alternate_stack, 0, state->alternate_stack_bytes};
        system_call(SYS_sigaltstack, &stack, NULL);
    }
    if (state->directory)
        system_call(SYS_chdir, TEXT(header, state->directory));
    system_call(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &state->signal_mask, NULL, 8);
}

static _Noreturn void go_on(const struct image_state *state)
{
    uint16_t x87 = (uint16_t)state->x87_control;
    __asm__ volatile("fldcw %2\n"
                     "ldmxcsr %3\n"
                     "mov 8(%0), %%rsp\n"
                     "mov 16(%0), %%rbx\n"
                     "mov 24(%0), %%rbp\n"
                     "mov 32(%0), %%r12\n"
                     "mov 40(%0), %%r13\n"
                     "mov 48(%0), %%r14\n"
                     "mov 56(%0), %%r15\n"
                     "cld\n"
                     "jmp *(%0)\n"
                     :
                     : "d"(state), "a"(&restored), "m"(x87), "m"(state->mxcsr)
                     : "memory");
    __builtin_unreachable();
}

static int is_in_memory(long file, uint64_t offset)
{
    char byte;
    struct {
        void *start;
        uint64_t length;
    } into = {&byte, 1};
    return system_call(SYS_preadv2, file, &into, 1, offset, 0, RWF_NOWAIT) == 1;
}

/* What a cold start touches is used, and forgotten by the kernel, as one: where the last of it is in memory, the rest
 * is, and to ask for each page costs a fiftieth of a start. */
static void read_ahead(long file, const struct image_range *ranges, uint32_t count)
{
    if (count && is_in_memory(file, ranges[count - 1].start + ranges[count - 1].length - 1))
        return;
    for (uint32_t i = 0; i < count; i++)
        system_call(SYS_readahead, file, ranges[i].start, ranges[i].length);
}

static _Noreturn void continue_variant(const struct image_header *header, const struct image_variant *variant, long file)
{
    read_ahead(file, TABLE(header, variant->read_ahead, struct image_range), variant->read_ahead.count);
    map_all(header, variant, file);
    system_call(SYS_close, file);
    const struct image_range *written = TABLE(header, variant->populate, struct image_range);
    for (uint32_t i = 0; i < variant->populate.count; i++)
        if (failed(system_call(SYS_madvise, written[i].start, written[i].length, MADV_POPULATE_WRITE)))
            break; /* a kernel before 5.14: the pages come one by one */
    set_kernel_state(header, variant);
    restored.argument_count = started->argument_count;
    restored.arguments = started->arguments;
    restored.environment = started->environment;
    restored.kind = variant->kind;
    go_on(&variant->state);
}

void restore(struct start *start, const char *path)
{
    started = start;
    long file = system_call(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
    if (file == -ENOENT)
        return;
    if (failed(file))
        refuse("it cannot be opened");
    /* Not by the kernel's own guesses: once they begin, each page that is used takes megabytes behind it along. */
    system_call(SYS_readahead, file, 0, FIRST_READ);
    const struct image_header *header = read_header(file);
    const struct image_variant *variants = TABLE(header, header->variants, struct image_variant);
    if (!processor_holds()) {
        log_line("WARN", "the process image is not used: it needs an x86-64-v3 processor with AES (AVX2, BMI2, FMA); starting without it",
                 NULL);
        system_call(SYS_close, file);
        return;
    }
    const struct image_guard *failing = NULL;
    long nearest = -1; /* of several full images, the one that would have been used is that of which most guards hold */
    for (uint32_t i = 0; i < header->variants.count; i++) {
        check_tables(header, &variants[i]);
        const struct image_guard *broken = failing_guard(started, header, &variants[i]);
        if (!broken) {
            if (failing && variants[i].kind == PYL_BASE)
                say_guard(started, header, failing, "base image");
            continue_variant(header, &variants[i], file);
        }
        long held = broken - TABLE(header, variants[i].guards, struct image_guard);
        if (held > nearest && (!failing || variants[i].kind != PYL_BASE)) {
            failing = broken;
            nearest = held;
        }
    }
    if (failing)
        say_guard(started, header, failing, "plain start");
    system_call(SYS_close, file);
}
