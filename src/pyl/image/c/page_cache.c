/* See page_cache.h. */
#include "page_cache.h"

#include "system.h"

enum { ONE_READ = 128 << 10 }; /* bytes: Linux cuts longer requests to the device's read-ahead size without a word */
enum { RWF_NOWAIT = 8, FADV_DONTNEED = 4 };

struct resource_usage { /* the kernel's `struct rusage` */
    long before[11], blocks_read, after[6];
};

/* How much was read from disks for this process. */
static long blocks_read(void)
{
    struct resource_usage usage = {0};
    system_call(SYS_getrusage, 0 /* RUSAGE_SELF */, &usage);
    return usage.blocks_read;
}

/* To ask for a page that is missing makes the kernel read it, and a fast disk may have brought it before the answer is
 * given. */
int is_cached(long file, uint64_t offset)
{
    char byte;
    struct {
        void *start;
        uint64_t length;
    } into = {&byte, 1};
    long before = blocks_read();
    long got = system_call(SYS_preadv2, file, &into, 1, offset, 0, RWF_NOWAIT);
    if (got == -EOPNOTSUPP) /* by overlays, for one */
        got = system_call(SYS_pread64, file, &byte, 1, offset);
    return got == 1 && blocks_read() == before;
}

void read_ahead(long file, uint64_t start, uint64_t end)
{
    for (; start < end; start += ONE_READ)
        system_call(SYS_readahead, file, start, end - start < ONE_READ ? end - start : ONE_READ);
}

void forget_page(long file, uint64_t offset) { system_call(SYS_fadvise64, file, offset, PAGE, FADV_DONTNEED); }
