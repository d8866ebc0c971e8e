/* See restore.h. Nothing is mapped before header and guards have been checked, so that a plain start stays possible. */
#include "restore.h"

#include "capture.h"
#include "guards.h"
#include "header.h"
#include "image.h"
#include "page_cache.h"
#include "report.h"
#include "system.h"
#include "words.h"

enum { MADV_RANDOM = 1, MADV_WIPEONFORK = 18, MADV_POPULATE_WRITE = 23 };

/* Bytes of the image that are read before its header tells what is needed: so many that no mark is left on the header. */
enum { BEGINNING = 128 << 10 };

static struct start *started;
static struct pyl_restored restored;
static int is_on_disk; /* the image, and not in the page cache */
static struct reading reading;

static _Noreturn void no_memory(void)
{
    fail(started->environment, "Runtime.OutOfMemory", "no memory for the process image; raise the function's memory", NULL);
}

/* Why the kernel refused memory for the image. */
static _Noreturn void refuse_memory(long error)
{
    if (error == -ENOMEM)
        no_memory();
    if (error == -EACCES || error == -EPERM)
        fail(started->environment, "Runtime.CannotStart",
             "the process image may not be mapped as executable; mount the package without noexec", NULL);
    fail(started->environment, "Runtime.CannotStart", "the process image cannot be mapped at its address", NULL);
}

/* `over` what was mapped before, or, never, over anything else. */
static void map_segment(long file, const struct image_segment *segment, int over)
{
    int zero = segment->flags & SEGMENT_ZERO;
    long flags = MAP_PRIVATE | (over ? MAP_FIXED : MAP_FIXED_NOREPLACE) | (zero ? MAP_ANONYMOUS : 0) |
                 (segment->flags & SEGMENT_NO_RESERVE ? MAP_NORESERVE : 0);
    long got = system_call(SYS_mmap, segment->address, segment->length, segment->protection, flags, zero ? -1 : file,
                           segment->offset);
    if (got != (long)segment->address)
        refuse_memory(got);
    if (segment->flags & SEGMENT_WIPE_ON_FORK)
        system_call(SYS_madvise, segment->address, segment->length, MADV_WIPEONFORK);
}

static void protect(const struct image_segment *segment)
{
    long error = system_call(SYS_mprotect, segment->address, segment->length, segment->protection);
    if (error)
        refuse_memory(error);
}

static long open_file(const struct image_header *header, uint32_t number)
{
    if (number >= header->files.count)
        refuse(started->environment, "its tables are damaged");
    const struct image_file *named = TABLE(header, header->files, struct image_file) + number;
    struct file_status status;
    long file = system_call(SYS_open, TEXT(header, named->path), O_RDONLY | O_CLOEXEC, 0);
    if (failed(file) || failed(system_call(SYS_fstat, file, &status)) || status.size != named->bytes)
        refuse(started->environment, "a file of the package that belongs to it is missing or has another length");
    return file;
}

static void map_segments(const struct image_header *header, const struct image_variant *variant, long memory)
{
    const struct image_segment *segments = TABLE(header, variant->segments, struct image_segment);
    uint32_t opened = FILE_MEMORY;
    long file = memory;
    for (uint32_t i = 0; i < variant->segments.count; i++) {
        const struct image_segment *segment = &segments[i];
        uint32_t number = segment->flags >> SEGMENT_FILE_SHIFT;
        if (number != opened) { /* what is mapped from one file lies together */
            if (opened != FILE_MEMORY)
                system_call(SYS_close, file);
            file = number == FILE_MEMORY ? memory : open_file(header, number);
            opened = number;
        }
        if (segment->flags & SEGMENT_PROTECT)
            protect(segment);
        else
            map_segment(file, segment, 0);
    }
    if (opened != FILE_MEMORY)
        system_call(SYS_close, file);
}

/* One request may serve all that lies in one part of the address space: it passes over what is not mapped there. */
static void advise(const struct image_header *header, struct table ranges, long advice)
{
    const struct image_range *range = TABLE(header, ranges, struct image_range);
    for (uint32_t i = 0; i < ranges.count; i++)
        if (system_call(SYS_madvise, range[i].start, range[i].length, advice) == -EINVAL)
            return; /* the kernel does not know it: MADV_POPULATE_WRITE came with 5.14 */
}

/* Decode memory that a cold start writes over where it belongs. */
static void decode_all(const struct image_header *header, const struct image_variant *variant, long image)
{
    const struct image_range *range = TABLE(header, variant->encoded, struct image_range);
    const struct image_range *end = range + variant->encoded.count;
    if (range == end)
        return;
    const struct word_kind *kinds = TABLE(header, variant->word_kinds, struct word_kind);
    long content = system_call(SYS_mmap, 0, variant->encoded_bytes, PROT_READ, MAP_PRIVATE, image, variant->ahead.start);
    if (failed(content))
        no_memory();
    const uint8_t *from = (const uint8_t *)content, *last = from + variant->encoded_bytes - ENCODED_PAGE_AT_MOST;
    for (; range < end; range++) {
        long got = system_call(SYS_mmap, range->start, range->length, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
        if (failed(got))
            no_memory();
        for (uint64_t done = 0; done < range->length; done += PAGE) {
            if (from > last)
                refuse(started->environment, "its encoded pages are damaged");
            from = decode_page(from, kinds, (uint64_t *)(got + done));
        }
    }
    system_call(SYS_munmap, content, variant->encoded_bytes);
}

/* From an empty page cache what is touched is read from the image, and put over where it belongs; from a filled one it
 * is there already, and each mapping less is time won. */
static void map_all(const struct image_header *header, const struct image_variant *variant, long image, long memory)
{
    int is_sampled = !is_on_disk && variant->sample != NO_SAMPLE;
    int is_filled = is_sampled && is_cached(memory, variant->sample); /* used, and forgotten, with all that is touched */
    map_segments(header, variant, memory);
    if (is_filled) { /* nothing is read, so all that the advice does is to set them apart from what lies around */
        advise(header, variant->neighbourhoods, MADV_RANDOM);
        advise(header, variant->populate, MADV_POPULATE_WRITE);
        return;
    }
    advise(header, variant->rarely_used, MADV_RANDOM);
    const struct image_segment *packed = TABLE(header, variant->packed, struct image_segment);
    for (uint32_t i = 0; i < variant->packed.count; i++)
        map_segment(image, &packed[i], 1);
    if (is_on_disk)
        read_on(&reading, variant->ahead.start, variant->ahead.start + variant->ahead.length);
    decode_all(header, variant, image);
    if (is_sampled) /* the next start shall not take this page for a sign of all others */
        forget_page(memory, variant->sample);
}

/* Of the base image only what the full one has otherwise is stored. */
static void apply_patches(const struct image_header *header, const struct image_variant *variant, long memory)
{
    const struct image_range *range = TABLE(header, variant->patched, struct image_range);
    const struct image_range *end = range + variant->patched.count;
    uint64_t length = 0;
    for (const struct image_range *each = range; each < end; each++)
        length += each->length;
    if (!length)
        return;
    long differences = system_call(SYS_mmap, 0, length, PROT_READ, MAP_PRIVATE, memory, variant->patches);
    if (failed(differences))
        no_memory();
    const uint64_t *difference = (const uint64_t *)differences;
    for (; range < end; range++)
        for (uint64_t *word = (uint64_t *)range->start; word < (uint64_t *)(range->start + range->length); word++)
            *word ^= *difference++;
    system_call(SYS_munmap, differences, length);
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

static _Noreturn void continue_variant(const struct image_header *header, const struct image_variant *variant, long image)
{
    if (is_on_disk)
        read_on(&reading, variant->ahead.start, variant->ahead.start + variant->encoded_bytes);
    long memory = open_file(header, FILE_MEMORY);
    map_all(header, variant, image, memory);
    apply_patches(header, variant, memory);
    system_call(SYS_close, memory);
    system_call(SYS_close, image);
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
        refuse(started->environment, "it cannot be opened");
    is_on_disk = begin_reading(&reading, file);
    if (is_on_disk)
        read_on(&reading, 0, BEGINNING);
    const struct image_header *header = read_header(started->environment, file);
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
        check_tables(started->environment, header, &variants[i]);
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
