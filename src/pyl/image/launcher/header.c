/* See header.h. */
#include "header.h"

#include "report.h"
#include "system.h"

static uint64_t checksum(const struct image_header *header)
{
    const uint64_t *word = (const uint64_t *)header, *end = word + header->header_bytes / 8;
    static const uint64_t seeds[] = {CHECKSUM_SEEDS}, factors[] = {CHECKSUM_FACTORS};
    uint64_t a = seeds[0], b = seeds[1]; /* two lanes, so that they overlap */
    for (; word + 1 < end; word += 2) {
        uint64_t first = word == &header->checksum ? 0 : word[0], second = word + 1 == &header->checksum ? 0 : word[1];
        a = (a ^ first) * factors[0];
        a ^= a >> 32;
        b = (b ^ second) * factors[1];
        b ^= b >> 29;
    }
    return a ^ (b << 1 | b >> 63);
}

static int table_fits(const struct image_header *header, struct table table, size_t size)
{
    return table.offset % 8 == 0 && table.offset <= header->header_bytes &&
           table.count <= (header->header_bytes - table.offset) / size;
}

const struct image_header *read_header(char *const *environment, long file)
{
    struct image_header head = {0};
    struct stat status = {0};
    if (system_call(__NR_pread64, file, &head, sizeof head, 0) != sizeof head)
        refuse(environment, "it is truncated");
    if (head.magic != IMAGE_MAGIC)
        refuse(environment, "it is not a process image");
    if (head.version != IMAGE_VERSION)
        refuse(environment, "it was made by another version of pyl");
    if (is_error(system_call(__NR_fstat, file, &status)) || (uint64_t)status.st_size != head.file_bytes)
        refuse(environment, "it has the wrong size; the package was not unpacked completely");
    if (head.header_bytes < sizeof head || head.header_bytes % 16 || head.header_bytes > head.file_bytes)
        refuse(environment, "its header is damaged");
    long mapped = system_call(__NR_mmap, 0, head.header_bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (is_error(mapped))
        refuse(environment, "its header cannot be mapped");
    const struct image_header *header = (const struct image_header *)mapped;
    if (checksum(header) != head.checksum || header->magic != head.magic)
        refuse(environment, "its header is damaged");
    if (!table_fits(header, header->variants, sizeof(struct image_variant)) ||
        !table_fits(header, header->files, sizeof(struct image_file)))
        refuse(environment, "its tables are damaged");
    return header;
}

void check_tables(char *const *environment, const struct image_header *header, const struct image_variant *variant)
{
    if (!table_fits(header, variant->guards, sizeof(struct image_guard)) ||
        !table_fits(header, variant->segments, sizeof(struct image_segment)) ||
        !table_fits(header, variant->encoded, sizeof(struct image_range)) ||
        !table_fits(header, variant->word_kinds, sizeof(struct word_kind)) ||
        !table_fits(header, variant->packed, sizeof(struct image_segment)) ||
        !table_fits(header, variant->actions, sizeof(struct image_action)) ||
        !table_fits(header, variant->populate, sizeof(struct image_range)) ||
        !table_fits(header, variant->rarely_used, sizeof(struct image_range)) ||
        !table_fits(header, variant->neighbourhoods, sizeof(struct image_range)) ||
        !table_fits(header, variant->patched, sizeof(struct image_range)) ||
        (variant->encoded.count && variant->word_kinds.count != WORD_KINDS) ||
        variant->readahead.start > header->file_bytes ||
        variant->readahead.length > header->file_bytes - variant->readahead.start ||
        variant->encoded_bytes > variant->readahead.length)
        refuse(environment, "its tables are damaged");
}
