/* See wiping.h. At capture this library is preloaded, so that `free` and `realloc` stand before the C library's own. */
#include "wiping.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static int is_wiping;

void wipe_freed(int is_on) { is_wiping = is_on; }

extern void __libc_free(void *block);
extern void *__libc_realloc(void *block, size_t size);

__attribute__((visibility("default"))) void free(void *block)
{
    if (is_wiping && block)
        memset(block, 0, malloc_usable_size(block));
    __libc_free(block);
}

__attribute__((visibility("default"))) void *realloc(void *block, size_t size)
{
    if (!is_wiping || !block || !size)
        return __libc_realloc(block, size);
    size_t room = malloc_usable_size(block);
    if (size > room || size < room / 2) {
        void *moved = malloc(size);
        if (!moved)
            return NULL;
        memcpy(moved, block, size < room ? size : room);
        free(block);
        return moved;
    }
    memset((char *)block + size, 0, room - size);
    return block;
}
