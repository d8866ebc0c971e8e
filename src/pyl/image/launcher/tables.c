/* See tables.h. Memory is checked against the table `mapped`, which is sorted, so a binary search finds each range. */
#include "tables.h"

#include "capture.h"
#include "processor.h"
#include "report.h"
#include "system.h"

#include <linux/signal.h>

enum { PROTECTIONS = PROT_READ | PROT_WRITE | PROT_EXEC, LAST_SIGNAL = 64 };
enum { SEGMENT_FLAGS = SEGMENT_ZERO | SEGMENT_WIPE_ON_FORK | SEGMENT_NO_RESERVE | SEGMENT_PROTECT };

/* Of the linker script; hidden, for there is no table of addresses to find them in. */
extern __attribute__((visibility("hidden"))) const char launcher_start[], launcher_end[];

static int table_fits(const struct image_header *header, struct table table, size_t size)
{
    return table.offset % 8 == 0 && table.offset <= header->header_bytes &&
           table.count <= (header->header_bytes - table.offset) / size;
}

/* Each string ends inside the header: the header's last byte is zero. */
static int string_fits(const struct image_header *header, uint32_t offset) { return offset < header->header_bytes; }

static int is_aligned(uint64_t value) { return value % PAGE_SIZE == 0; }

/* Does a part of a file, whole pages, lie inside its `bytes`? */
static int part_fits(uint64_t offset, uint64_t length, uint64_t bytes)
{
    return is_aligned(offset) && offset <= bytes && length <= page_align(bytes) - offset;
}

/* Are `length` bytes from `start` on inside one of the sorted ranges? */
static int is_inside(const struct image_range *ranges, size_t count, uint64_t start, uint64_t length)
{
    while (count) {
        size_t half = count / 2;
        const struct image_range *middle = &ranges[half];
        if (start < middle->start) {
            count = half;
        } else if (start - middle->start >= middle->length) {
            ranges = middle + 1;
            count -= half + 1;
        } else {
            return length <= middle->length - (start - middle->start);
        }
    }
    return 0;
}

static int is_mapped(const struct image_header *header, const struct image_variant *variant, uint64_t start,
                     uint64_t length)
{
    return is_inside(TABLE(header, variant->mapped, struct image_range), variant->mapped.count, start, length);
}

/* Sorted, apart from each other, below the highest address, and away from the launcher. */
static int is_memory_sound(const struct image_header *header, const struct image_variant *variant)
{
    const struct image_range *range = TABLE(header, variant->mapped, struct image_range);
    const struct image_range *end = range + variant->mapped.count;
    for (uint64_t last = PAGE_SIZE; range < end; last = range->start + range->length, range++) {
        if (!is_aligned(range->start) || !is_aligned(range->length) || !range->length || range->start < last ||
            range->start >= ADDRESS_LIMIT || range->length > ADDRESS_LIMIT - range->start)
            return 0;
        if (range->start < (uint64_t)launcher_end && (uint64_t)launcher_start < range->start + range->length)
            return 0;
    }
    return variant->mapped.count > 0;
}

static int is_segment_sound(const struct image_header *header, const struct image_variant *variant,
                            const struct image_segment *segment)
{
    return is_aligned(segment->address) && is_aligned(segment->length) && segment->length &&
           !(segment->protection & ~(uint32_t)PROTECTIONS) &&
           is_mapped(header, variant, segment->address, segment->length);
}

/* The segments map all of `mapped`, once: the kernel refuses a segment that overlaps an earlier one. */
static int are_segments_sound(const struct image_header *header, const struct image_variant *variant)
{
    const struct image_segment *segment = TABLE(header, variant->segments, struct image_segment);
    const struct image_segment *end = segment + variant->segments.count;
    const struct image_file *files = TABLE(header, header->files, struct image_file);
    const struct image_range *ranges = TABLE(header, variant->mapped, struct image_range);
    uint64_t unmapped = 0;
    for (uint32_t i = 0; i < variant->mapped.count; i++)
        unmapped += ranges[i].length;
    for (; segment < end; segment++) {
        uint32_t flags = segment->flags & ((1u << SEGMENT_FILE_SHIFT) - 1), file = segment->flags >> SEGMENT_FILE_SHIFT;
        if (!is_segment_sound(header, variant, segment) || flags & ~(uint32_t)SEGMENT_FLAGS ||
            file >= header->files.count)
            return 0;
        if (flags & SEGMENT_PROTECT)
            continue;
        if (!(flags & SEGMENT_ZERO) && !part_fits(segment->offset, segment->length, files[file].bytes))
            return 0;
        if (segment->length > unmapped)
            return 0;
        unmapped -= segment->length;
    }
    return !unmapped;
}

static int are_ranges_mapped(const struct image_header *header, const struct image_variant *variant,
                             struct table ranges)
{
    const struct image_range *range = TABLE(header, ranges, struct image_range), *end = range + ranges.count;
    for (; range < end; range++)
        if (!is_aligned(range->start) || !is_aligned(range->length) || !range->length ||
            !is_mapped(header, variant, range->start, range->length))
            return 0;
    return 1;
}

/* Ranges with gaps in them: from the first to the last mapped byte. */
static int are_ranges_between(const struct image_header *header, const struct image_variant *variant,
                              struct table ranges)
{
    const struct image_range *range = TABLE(header, ranges, struct image_range), *end = range + ranges.count;
    const struct image_range *first = TABLE(header, variant->mapped, struct image_range);
    const struct image_range *last = first + variant->mapped.count - 1;
    struct image_range all = {first->start, last->start + last->length - first->start};
    for (; range < end; range++)
        if (!is_aligned(range->start) || !is_aligned(range->length) || !is_inside(&all, 1, range->start, range->length))
            return 0;
    return 1;
}

/* Packed segments lie in what is read ahead, behind the encoded pages. */
static int are_packed_sound(const struct image_header *header, const struct image_variant *variant)
{
    const struct image_segment *segment = TABLE(header, variant->packed, struct image_segment);
    const struct image_segment *end = segment + variant->packed.count;
    uint64_t first = variant->readahead.start + page_align(variant->encoded_bytes);
    uint64_t last = variant->readahead.start + variant->readahead.length;
    for (; segment < end; segment++)
        if (!is_segment_sound(header, variant, segment) || segment->flags & ~(uint32_t)SEGMENT_NO_RESERVE ||
            segment->offset < first || !part_fits(segment->offset, segment->length, last))
            return 0;
    return 1;
}

/* A decoder that trusts these kinds reads and writes no further than it may. */
static int are_kinds_sound(const struct image_header *header, const struct image_variant *variant)
{
    const struct word_kind *kind = TABLE(header, variant->word_kinds, struct word_kind);
    const struct word_kind *end = kind + variant->word_kinds.count;
    for (; kind < end; kind++) {
        if (kind->own_bytes > sizeof kind->own)
            return 0;
        uint64_t own = kind->own_bytes == sizeof own ? ~0ul : (1ul << 8 * kind->own_bytes) - 1;
        if (kind->own != own || kind->base & own)
            return 0;
    }
    return !variant->encoded.count ||
           (variant->word_kinds.count == WORD_KINDS && variant->encoded_bytes >= ENCODED_PAGE_MARGIN);
}

/* What is read of the files besides the segments. */
static int are_offsets_sound(const struct image_header *header, const struct image_variant *variant)
{
    uint64_t memory_bytes = TABLE(header, header->files, struct image_file)[FILE_MEMORY].bytes, patched = 0;
    const struct image_range *range = TABLE(header, variant->patched, struct image_range);
    for (uint32_t i = 0; i < variant->patched.count; i++) {
        if (range[i].length > memory_bytes)
            return 0;
        patched += range[i].length;
    }
    const struct image_range *readahead = &variant->readahead;
    return part_fits(variant->patches, patched, memory_bytes) && is_aligned(memory_bytes) &&
           (variant->sample == NO_SAMPLE || part_fits(variant->sample, PAGE_SIZE, memory_bytes)) &&
           is_aligned(readahead->start) && is_aligned(readahead->length) && readahead->start >= header->header_bytes &&
           readahead->start <= header->file_bytes && readahead->length <= header->file_bytes - readahead->start &&
           variant->encoded_bytes <= readahead->length;
}

/* The protection of the memory at an address once all segments are mapped. */
static uint32_t protection_at(const struct image_header *header, const struct image_variant *variant, uint64_t address)
{
    const struct image_segment *segments = TABLE(header, variant->segments, struct image_segment);
    for (uint32_t i = variant->segments.count; i--;) /* a part with another protection follows its segment */
        if (address - segments[i].address < segments[i].length)
            return segments[i].protection;
    return 0;
}

static int are_actions_sound(const struct image_header *header, const struct image_variant *variant)
{
    const struct image_action *action = TABLE(header, variant->actions, struct image_action);
    const struct image_action *end = action + variant->actions.count;
    for (; action < end; action++) {
        if (!action->number || action->number > LAST_SIGNAL || action->number == SIGKILL || action->number == SIGSTOP)
            return 0;
        if (action->handler > (uint64_t)SIG_IGN && !(protection_at(header, variant, action->handler) & PROT_EXEC))
            return 0;
        if (action->restorer && !(protection_at(header, variant, action->restorer) & PROT_EXEC))
            return 0;
    }
    return 1;
}

static int is_kernel_state_sound(const struct image_header *header, const struct image_variant *variant)
{
    const struct image_kernel_state *state = &variant->kernel;
    const struct processor_state *processor = &variant->processor;
    return (!state->thread_id_address || (state->thread_id_address % sizeof(int) == 0 &&
                                          protection_at(header, variant, state->thread_id_address) & PROT_WRITE)) &&
           (!state->robust_list || is_mapped(header, variant, state->robust_list, state->robust_list_bytes)) &&
           (!state->alternate_stack_bytes ||
            is_mapped(header, variant, state->alternate_stack, state->alternate_stack_bytes)) &&
           string_fits(header, state->directory) && is_processor_state_sound(processor) &&
           protection_at(header, variant, instruction_pointer(processor)) & PROT_EXEC &&
           protection_at(header, variant, stack_pointer(processor)) & PROT_WRITE;
}

static void require(char *const *environment, int is_sound)
{
    if (!is_sound)
        refuse(environment, "its tables are damaged");
}

void check_header_tables(char *const *environment, const struct image_header *header)
{
    require(environment, table_fits(header, header->variants, sizeof(struct image_variant)) &&
                             table_fits(header, header->files, sizeof(struct image_file)) && header->variants.count &&
                             header->files.count > FILE_MEMORY);
    const struct image_file *files = TABLE(header, header->files, struct image_file);
    for (uint32_t i = 0; i < header->files.count; i++)
        require(environment, string_fits(header, files[i].path) && files[i].bytes < ADDRESS_LIMIT);
}

void check_guards(char *const *environment, const struct image_header *header, const struct image_variant *variant)
{
    require(environment, (variant->kind == PYL_FULL || variant->kind == PYL_BASE) &&
                             table_fits(header, variant->guards, sizeof(struct image_guard)));
    const struct image_guard *guards = TABLE(header, variant->guards, struct image_guard);
    for (uint32_t i = 0; i < variant->guards.count; i++)
        require(environment, string_fits(header, guards[i].name) && string_fits(header, guards[i].value) &&
                                 guards[i].kind >= GUARD_EQUAL && guards[i].kind <= GUARD_PROCESSORS);
}

void check_variant(char *const *environment, const struct image_header *header, const struct image_variant *variant)
{
    require(environment, table_fits(header, variant->segments, sizeof(struct image_segment)) &&
                             table_fits(header, variant->mapped, sizeof(struct image_range)) &&
                             table_fits(header, variant->encoded, sizeof(struct image_range)) &&
                             table_fits(header, variant->word_kinds, sizeof(struct word_kind)) &&
                             table_fits(header, variant->packed, sizeof(struct image_segment)) &&
                             table_fits(header, variant->actions, sizeof(struct image_action)) &&
                             table_fits(header, variant->populate, sizeof(struct image_range)) &&
                             table_fits(header, variant->rarely_used, sizeof(struct image_range)) &&
                             table_fits(header, variant->neighbourhoods, sizeof(struct image_range)) &&
                             table_fits(header, variant->patched, sizeof(struct image_range)));
    require(environment, is_memory_sound(header, variant) && are_segments_sound(header, variant) &&
                             are_offsets_sound(header, variant) && are_kinds_sound(header, variant) &&
                             are_packed_sound(header, variant) &&
                             are_ranges_mapped(header, variant, variant->encoded) &&
                             are_ranges_mapped(header, variant, variant->populate) &&
                             are_ranges_mapped(header, variant, variant->neighbourhoods) &&
                             are_ranges_mapped(header, variant, variant->patched) &&
                             are_ranges_between(header, variant, variant->rarely_used) &&
                             are_actions_sound(header, variant) && is_kernel_state_sound(header, variant));
}
