/* See page_cache.h. */
#include "page_cache.h"

#include "system.h"

enum { ONE_READ = 128 << 10 }; /* bytes: Linux cuts longer requests to the device's read-ahead size without a word */
enum { BLOCK = 512 };
enum { RWF_NOWAIT = 8, FADV_DONTNEED = 4 };

struct resource_usage { /* the kernel's `struct rusage` */
    long before[11], blocks_read, after[6];
};

/* How much was read from disks for this process, begun reads included. */
static long blocks_read(void)
{
    struct resource_usage usage = {0};
    system_call(SYS_getrusage, 0 /* RUSAGE_SELF */, &usage);
    return usage.blocks_read;
}

static long read_byte(long file, uint64_t offset, long flags)
{
    char byte;
    struct {
        void *start;
        uint64_t length;
    } into = {&byte, 1};
    return system_call(SYS_preadv2, file, &into, 1, offset, 0, flags);
}

/* As `is_cached`; `*read` is how many bytes the question itself made the kernel read. To ask for a page that is missing
 * makes it do so, and a fast disk may have brought the page before the answer is given. */
static int ask(long file, uint64_t offset, uint64_t *read)
{
    long before = blocks_read(), got = read_byte(file, offset, RWF_NOWAIT);
    if (got == -EOPNOTSUPP) /* by overlays, for one */
        got = read_byte(file, offset, 0);
    *read = (uint64_t)(blocks_read() - before) * BLOCK;
    return got == 1 && !*read;
}

int is_cached(long file, uint64_t offset)
{
    uint64_t read;
    return ask(file, offset, &read);
}

int begin_reading(struct reading *reading, long file)
{
    *reading = (struct reading){.file = file, .mark = PAGE};
    return !ask(file, 0, &reading->end);
}

/* Use the page with the mark, and find the next one: the kernel puts it on the first page that it had not read before. */
static void go_on_by_mark(struct reading *reading)
{
    long before = blocks_read();
    read_byte(reading->file, reading->mark, RWF_NOWAIT);
    uint64_t more = (uint64_t)(blocks_read() - before) * BLOCK;
    reading->mark = more ? reading->end : 0;
    reading->end += more;
}

void read_on(struct reading *reading, uint64_t start, uint64_t end)
{
    if (reading->end < start) {
        reading->end = start;
        reading->mark = 0;
    }
    while (reading->mark && reading->end < end)
        go_on_by_mark(reading);
    while (reading->end < end) {
        uint64_t length = end - reading->end < ONE_READ ? end - reading->end : ONE_READ;
        system_call(SYS_readahead, reading->file, reading->end, length);
        reading->end += length;
    }
}

void forget_page(long file, uint64_t offset)
{
    read_byte(file, offset, 0); /* a page that is still being read cannot be dropped */
    system_call(SYS_fadvise64, file, offset, PAGE, FADV_DONTNEED);
}
