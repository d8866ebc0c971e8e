/* See page_cache.h. */
#include "page_cache.h"

#include "system.h"

#include <linux/fadvise.h>
#include <linux/fs.h>
#include <linux/resource.h>
#include <linux/uio.h>

enum { ONE_READ = 128 << 10 }; /* bytes: Linux cuts longer requests to the device's read-ahead size without notice */
enum { BLOCK = 512 };

/* Bytes read from disks for this process, begun reads included. */
static uint64_t bytes_read(void)
{
    struct rusage usage = {0};
    system_call(__NR_getrusage, RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_inblock * BLOCK;
}

static long read_byte(long file, uint64_t offset, long flags)
{
    char byte;
    struct iovec into = {&byte, 1};
    return system_call(__NR_preadv2, file, &into, 1, offset, 0, flags);
}

/* As `is_cached`; `*read` is how many bytes the question itself made the kernel read. To ask for a page that is missing
 * makes it do so, and a fast disk may have brought the page before the answer is given. */
static int query_page(long file, uint64_t offset, uint64_t *read)
{
    uint64_t before = bytes_read();
    long count = read_byte(file, offset, RWF_NOWAIT);
    if (count == -EOPNOTSUPP) /* by overlays, for one */
        count = read_byte(file, offset, 0);
    *read = bytes_read() - before;
    return count == 1 && !*read;
}

int is_cached(long file, uint64_t offset)
{
    uint64_t read;
    return query_page(file, offset, &read);
}

int begin_readahead(struct readahead *readahead, long file)
{
    *readahead = (struct readahead){.file = file, .mark = PAGE_SIZE};
    return !query_page(file, 0, &readahead->end);
}

/* Use the page with the mark, and find the next one: the kernel puts it on the first page that it had not read before.
 */
static void read_by_mark(struct readahead *readahead)
{
    uint64_t before = bytes_read();
    read_byte(readahead->file, readahead->mark, RWF_NOWAIT);
    uint64_t more = bytes_read() - before;
    readahead->mark = more ? readahead->end : 0;
    readahead->end += more;
}

void read_ahead_to(struct readahead *readahead, uint64_t start, uint64_t end)
{
    if (readahead->end < start) {
        readahead->end = start;
        readahead->mark = 0;
    }
    while (readahead->mark && readahead->end < end)
        read_by_mark(readahead);
    while (readahead->end < end) {
        uint64_t length = end - readahead->end < ONE_READ ? end - readahead->end : ONE_READ;
        system_call(__NR_readahead, readahead->file, readahead->end, length);
        readahead->end += length;
    }
}

void forget_page(long file, uint64_t offset)
{
    read_byte(file, offset, 0); /* a page that is still being read cannot be dropped */
    system_call(__NR_fadvise64, file, offset, PAGE_SIZE, POSIX_FADV_DONTNEED);
}
