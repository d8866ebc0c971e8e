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
        return NULL;
    const struct image_header *header = (const struct image_header *)mapped;
    if (checksum(header) != head.checksum || header->magic != head.magic)
        refuse(environment, "its header is damaged");
    if (((const char *)header)[head.header_bytes - 1]) /* so that each string in it has an end */
        refuse(environment, "its header is damaged");
    return header;
}
