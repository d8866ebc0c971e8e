/* See restore.h. Nothing is mapped before header, tables and guards have been checked, and what has been mapped is
 * unmapped when the kernel refuses more: so a plain start stays possible. */
#include "restore.h"

#include "capture.h"
#include "fatal_signals.h"
#include "guards.h"
#include "header.h"
#include "image.h"
#include "page_cache.h"
#include "page_codec.h"
#include "processor.h"
#include "report.h"
#include "restored.h"
#include "system.h"
#include "tables.h"

#include <linux/signal.h>

/* Bytes of the image that are read before its header tells what is needed: so many that the kernel leaves no mark on
 * the header. */
enum { BEGINNING = 128 << 10 };

static struct start *started;
static struct pyl_restored restored;
static int is_on_disk; /* the image, and not in the page cache */
static struct readahead readahead;

/* Log why the kernel refused memory or a descriptor for the image. */
static void log_refusal(long error)
{
#define NOT_USED "the process image is not used: "
    const char *reason = MESSAGE(NOT_USED "it cannot be mapped at its address; starting without it");
    if (error == -ENOMEM)
        reason = MESSAGE(NOT_USED
                         "there is no memory or address space for it; raise the function's memory, or the limit of the "
                         "address space (`ulimit -v`); starting without it");
    else if (error == -EMFILE || error == -ENFILE)
        reason = MESSAGE(
            NOT_USED "no more files can be opened; raise the limit of open files (`ulimit -n`); starting without it");
    else if (error == -EACCES || error == -EPERM)
        reason = MESSAGE(NOT_USED
                         "it may not be mapped as executable; mount the package without noexec; starting without it");
    log_line("WARN", reason, NULL);
#undef NOT_USED
}

/* `over` what was mapped before, or, never, over anything else. Returns 0 or an error, as do all below that may be
 * refused memory. */
static long map_segment(long file, const struct image_segment *segment, int over)
{
    int zero = segment->flags & SEGMENT_ZERO;
    long flags = MAP_PRIVATE | (over ? MAP_FIXED : MAP_FIXED_NOREPLACE) | (zero ? MAP_ANONYMOUS : 0) |
                 (segment->flags & SEGMENT_NO_RESERVE ? MAP_NORESERVE : 0);
    long address = system_call(__NR_mmap, segment->address, segment->length, segment->protection, flags,
                               zero ? -1 : file, segment->offset);
    if (is_error(address))
        return address;
    if (address != (long)segment->address) { /* before 4.17 the kernel takes the address for a wish */
        system_call(__NR_munmap, address, segment->length);
        return -EEXIST;
    }
    if (segment->flags & SEGMENT_WIPE_ON_FORK)
        system_call(__NR_madvise, segment->address, segment->length, MADV_WIPEONFORK);
    return 0;
}

static void unmap_segments(const struct image_segment *segments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!(segments[i].flags & SEGMENT_PROTECT))
            system_call(__NR_munmap, segments[i].address, segments[i].length);
}

/* Open a file of the package, or return the error when no more files can be opened. */
static long open_file(const struct image_header *header, uint32_t number)
{
    const struct image_file *named = TABLE(header, header->files, struct image_file) + number;
    struct stat status = {0};
    long file = open_readonly(TEXT(header, named->path));
    if (file == -EMFILE || file == -ENFILE || file == -ENOMEM)
        return file;
    if (is_error(file) || is_error(system_call(__NR_fstat, file, &status)) || (uint64_t)status.st_size != named->bytes)
        refuse(started->environment, "a file of the package that belongs to it is missing or has the wrong size");
    return file;
}

static long map_segments(const struct image_header *header, const struct image_variant *variant, long memory)
{
    const struct image_segment *segments = TABLE(header, variant->segments, struct image_segment);
    uint32_t opened = FILE_MEMORY, i = 0;
    long file = memory, error = 0;
    for (; i < variant->segments.count; i++) {
        const struct image_segment *segment = &segments[i];
        uint32_t number = segment->flags >> SEGMENT_FILE_SHIFT;
        if (number != opened) { /* what is mapped from one file lies together */
            if (opened != FILE_MEMORY)
                system_call(__NR_close, file);
            opened = FILE_MEMORY;
            file = number == FILE_MEMORY ? memory : open_file(header, number);
            if (is_error(file)) {
                error = file;
                break;
            }
            opened = number;
        }
        error = segment->flags & SEGMENT_PROTECT
                    ? system_call(__NR_mprotect, segment->address, segment->length, segment->protection)
                    : map_segment(file, segment, 0);
        if (error)
            break;
    }
    if (opened != FILE_MEMORY)
        system_call(__NR_close, file);
    if (error)
        unmap_segments(segments, i);
    return error;
}

/* One request may serve all that lies in one part of the address space: it passes over what is not mapped there. */
static void advise(const struct image_header *header, struct table ranges, long advice)
{
    const struct image_range *range = TABLE(header, ranges, struct image_range);
    for (uint32_t i = 0; i < ranges.count; i++)
        if (system_call(__NR_madvise, range[i].start, range[i].length, advice) == -EINVAL)
            return; /* the kernel does not know it: MADV_POPULATE_WRITE came with 5.14 */
}

/* Decode memory that a cold start writes over where it belongs. */
static long decode_all(const struct image_header *header, const struct image_variant *variant, long image)
{
    const struct image_range *range = TABLE(header, variant->encoded, struct image_range);
    const struct image_range *end = range + variant->encoded.count;
    if (range == end)
        return 0;
    const struct word_kind *kinds = TABLE(header, variant->word_kinds, struct word_kind);
    long content =
        system_call(__NR_mmap, 0, variant->encoded_bytes, PROT_READ, MAP_PRIVATE, image, variant->readahead.start);
    if (is_error(content))
        return content;
    const uint8_t *from = (const uint8_t *)content, *last = from + variant->encoded_bytes - ENCODED_PAGE_MARGIN;
    for (; range < end; range++) {
        long memory = system_call(__NR_mmap, range->start, range->length, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
        if (is_error(memory)) {
            system_call(__NR_munmap, content, variant->encoded_bytes);
            return memory;
        }
        for (uint64_t done = 0; done < range->length; done += PAGE_SIZE) {
            if (from > last)
                refuse(started->environment, "its encoded pages are damaged");
            from = decode_page(from, kinds, (uint64_t *)(memory + done));
        }
    }
    if (from != last)
        refuse(started->environment, "its encoded pages are damaged");
    system_call(__NR_munmap, content, variant->encoded_bytes);
    return 0;
}

/* Of the base image only what the full one has otherwise is stored. */
static long apply_patches(const struct image_header *header, const struct image_variant *variant, long memory)
{
    const struct image_range *range = TABLE(header, variant->patched, struct image_range);
    const struct image_range *end = range + variant->patched.count;
    uint64_t length = 0;
    for (const struct image_range *each = range; each < end; each++)
        length += each->length;
    if (!length)
        return 0;
    long differences = system_call(__NR_mmap, 0, length, PROT_READ, MAP_PRIVATE, memory, variant->patches);
    if (is_error(differences))
        return differences;
    const uint64_t *difference = (const uint64_t *)differences;
    for (; range < end; range++)
        for (uint64_t *word = (uint64_t *)range->start; word < (uint64_t *)(range->start + range->length); word++)
            *word ^= *difference++;
    system_call(__NR_munmap, differences, length);
    return 0;
}

/* From an empty page cache what is touched is read from the image, and put over where it belongs; from a filled one it
 * is there already, and each mapping less is time won. */
static long map_all(const struct image_header *header, const struct image_variant *variant, long image, long memory)
{
    int is_sampled = !is_on_disk && variant->sample != NO_SAMPLE;
    /* The sample is used, and dropped from the page cache, with all that is touched. */
    int is_filled = is_sampled && is_cached(memory, variant->sample);
    long error = map_segments(header, variant, memory);
    if (error)
        return error;
    if (is_filled) { /* nothing is read, so all that the advice does is to set them apart from what lies around */
        advise(header, variant->neighbourhoods, MADV_RANDOM);
        advise(header, variant->populate, MADV_POPULATE_WRITE);
    } else {
        advise(header, variant->rarely_used, MADV_RANDOM);
        const struct image_segment *packed = TABLE(header, variant->packed, struct image_segment);
        for (uint32_t i = 0; i < variant->packed.count && !error; i++)
            error = map_segment(image, &packed[i], 1);
        if (is_on_disk)
            read_ahead_to(&readahead, variant->readahead.start, variant->readahead.start + variant->readahead.length);
        if (!error)
            error = decode_all(header, variant, image);
        if (is_sampled) /* the next start shall not take this page for a sign of all others */
            forget_page(memory, variant->sample);
    }
    if (!error)
        error = apply_patches(header, variant, memory);
    if (error)
        unmap_segments(TABLE(header, variant->segments, struct image_segment), variant->segments.count);
    return error;
}

static void set_signal_action(const struct image_action *stored)
{
    struct sigaction action = {.sa_handler = (__sighandler_t)stored->handler, .sa_flags = stored->flags};
#ifdef SA_RESTORER
    action.sa_restorer = (__sigrestore_t)stored->restorer;
#endif
    memcpy(&action.sa_mask, &stored->mask, sizeof stored->mask);
    system_call(__NR_rt_sigaction, stored->number, &action, NULL, sizeof stored->mask);
}

static void set_kernel_state(const struct image_header *header, const struct image_variant *variant)
{
    const struct image_kernel_state *state = &variant->kernel;
    const struct image_action *actions = TABLE(header, variant->actions, struct image_action);
    for (uint32_t i = 0; i < variant->actions.count; i++)
        set_signal_action(&actions[i]);
    set_thread_pointer(&variant->processor);
    long thread = system_call(__NR_set_tid_address, state->thread_id_address);
    if (state->thread_id_address)
        *(int *)state->thread_id_address = (int)thread;
    system_call(__NR_set_robust_list, state->robust_list, state->robust_list_bytes);
    /* The launcher's own stack is free from the jump on: with it, a stack overflow is logged, too. */
    stack_t stack = {.ss_sp = launcher_stack, .ss_size = LAUNCHER_STACK_BYTES};
    if (state->alternate_stack_bytes)
        stack = (stack_t){.ss_sp = (void *)state->alternate_stack, .ss_size = state->alternate_stack_bytes};
    system_call(__NR_sigaltstack, &stack, NULL);
    if (state->directory)
        system_call(__NR_chdir, TEXT(header, state->directory));
    system_call(__NR_rt_sigprocmask, SIG_SETMASK, &state->signal_mask, NULL, sizeof state->signal_mask);
}

/* Continue the variant; returns, as if nothing had happened, with an error when it is refused memory or descriptors. */
static long continue_variant(const struct image_header *header, const struct image_variant *variant, long image)
{
    check_variant(started->environment, header, variant);
    if (is_on_disk)
        read_ahead_to(&readahead, variant->readahead.start, variant->readahead.start + variant->encoded_bytes);
    long memory = open_file(header, FILE_MEMORY);
    if (is_error(memory))
        return memory;
    handle_fatal_signals();
    long error = map_all(header, variant, image, memory);
    system_call(__NR_close, memory);
    if (error)
        return error;
    system_call(__NR_close, image);
    set_kernel_state(header, variant);
    restored.argument_count = started->argument_count;
    restored.arguments = started->arguments;
    restored.environment = started->environment;
    restored.kind = variant->kind;
    continue_program(&variant->processor, &restored);
}

void restore(struct start *start, const char *path)
{
    started = start;
    long file = open_readonly(path);
    if (file == -ENOENT)
        return;
    if (file == -EMFILE || file == -ENFILE || file == -ENOMEM) {
        log_refusal(file);
        return;
    }
    if (is_error(file))
        refuse(started->environment, "it cannot be opened");
    is_on_disk = begin_readahead(&readahead, file);
    if (is_on_disk)
        read_ahead_to(&readahead, 0, BEGINNING);
    const struct image_header *header = read_header(started->environment, file);
    if (!header) {
        log_refusal(-ENOMEM);
        system_call(__NR_close, file);
        return;
    }
    check_header_tables(started->environment, header);
    const struct image_variant *variants = TABLE(header, header->variants, struct image_variant);
    if (!is_processor_sufficient()) {
        log_line("WARN", PROCESSOR_MISSING, NULL);
        system_call(__NR_close, file);
        return;
    }
    const struct image_guard *failing = NULL;
    /* Of several full images, the one meant for this environment is that of which most guards hold. */
    long most_held = -1;
    for (uint32_t i = 0; i < header->variants.count; i++) {
        check_guards(started->environment, header, &variants[i]);
        const struct image_guard *failed = find_failing_guard(started, header, &variants[i]);
        if (!failed) {
            if (failing && variants[i].kind == PYL_BASE)
                log_failing_guard(started, header, failing, "base image");
            log_refusal(continue_variant(header, &variants[i], file));
            system_call(__NR_close, file);
            return;
        }
        long held = failed - TABLE(header, variants[i].guards, struct image_guard);
        if (held > most_held && (!failing || variants[i].kind != PYL_BASE)) {
            failing = failed;
            most_held = held;
        }
    }
    if (failing)
        log_failing_guard(started, header, failing, "plain start");
    system_call(__NR_close, file);
}
