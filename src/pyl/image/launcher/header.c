/* See header.h. */
#include "header.h"

#include "report.h"
#include "system.h"
#include "words.h"

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

const struct image_header *read_header(char *const *environment, long file)
{
    struct image_header head;
    struct file_status status;
    if (system_call(SYS_pread64, file, &head, sizeof head, 0) != sizeof head)
        refuse(environment, "it is cut short");
    if (head.magic != IMAGE_MAGIC)
        refuse(environment, "it is no process image");
    if (head.version != IMAGE_VERSION)
        refuse(environment, "it was made by another version of pyl");
    if (failed(system_call(SYS_fstat, file, &status)) || status.size != head.file_bytes)
        refuse(environment, "it does not have its length; the package was not unpacked whole");
    if (head.header_bytes < sizeof head || head.header_bytes % 16 || head.header_bytes > head.file_bytes)
        refuse(environment, "its header is damaged");
    long mapped = system_call(SYS_mmap, 0, head.header_bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (failed(mapped))
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
        variant->ahead.start > header->file_bytes || variant->ahead.length > header->file_bytes - variant->ahead.start ||
        variant->encoded_bytes > variant->ahead.length)
        refuse(environment, "its tables are damaged");
}
