/* See nursery.h.
 *
 * Python's own allocator fills the holes between the objects of the image: each small allocation would write to
 * another page of it, and each such page costs a fault and a copy. The nursery takes the small allocations of
 * the first megabytes instead. Chunks belong to one size for good; freed blocks are used again last in, first out.
 * When it is full, Python's allocator goes on as if nothing had been. Both domains are guarded by the GIL. */
#include "nursery.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum {
    GRAIN = 16,
    LARGEST = 512,
    CLASSES = LARGEST / GRAIN,
    CHUNK = 1024,
    BYTES = 16 << 20,
    CHUNKS = BYTES / CHUNK,
};

struct block {
    struct block *next;
};

struct size_class {
    struct block *freed;
    char *at, *end;
};

static char *nursery;
static uint8_t *class_of; /* of each chunk; the nursery's first bytes */
static uint32_t next_chunk;
static struct size_class classes[CLASSES];
static PyMemAllocatorEx former_memory, former_object;

static inline int is_ours(const void *block) { return (uintptr_t)block - (uintptr_t)nursery < BYTES; }

static inline size_t class_size(unsigned index) { return (index + 1) * (size_t)GRAIN; }

static inline unsigned class_of_block(const void *block)
{
    return class_of[((uintptr_t)block - (uintptr_t)nursery) / CHUNK];
}

static void *take(size_t size)
{
    unsigned index = size ? (unsigned)((size - 1) / GRAIN) : 0;
    struct size_class *from = &classes[index];
    struct block *block = from->freed;
    if (block) {
        from->freed = block->next;
        return block;
    }
    if (from->at == from->end) {
        if (next_chunk == CHUNKS)
            return NULL;
        class_of[next_chunk] = (uint8_t)index;
        from->at = nursery + (size_t)next_chunk++ * CHUNK;
        from->end = from->at + CHUNK / class_size(index) * class_size(index);
    }
    char *fresh = from->at;
    from->at += class_size(index);
    return fresh;
}

static void *allocate(void *context, size_t size)
{
    const PyMemAllocatorEx *former = context;
    void *block = size <= LARGEST ? take(size) : NULL;
    return block ? block : former->malloc(former->ctx, size);
}

static void *allocate_zeroed(void *context, size_t count, size_t size)
{
    const PyMemAllocatorEx *former = context;
    if (size && count > LARGEST / size)
        return former->calloc(former->ctx, count, size);
    void *block = take(count * size);
    return block ? memset(block, 0, count * size) : former->calloc(former->ctx, count, size);
}

static void release(void *context, void *block)
{
    const PyMemAllocatorEx *former = context;
    if (!is_ours(block)) {
        former->free(former->ctx, block);
        return;
    }
    struct size_class *to = &classes[class_of_block(block)];
    ((struct block *)block)->next = to->freed;
    to->freed = block;
}

static void *reallocate(void *context, void *block, size_t size)
{
    const PyMemAllocatorEx *former = context;
    if (!block)
        return allocate(context, size);
    if (!is_ours(block))
        return former->realloc(former->ctx, block, size);
    size_t room = class_size(class_of_block(block));
    if (size <= room && size > room / 2)
        return block;
    void *larger = allocate(context, size);
    if (!larger)
        return NULL;
    memcpy(larger, block, size < room ? size : room);
    release(context, block);
    return larger;
}

static void replace(PyMemAllocatorDomain domain, PyMemAllocatorEx *former)
{
    PyMem_GetAllocator(domain, former);
    PyMemAllocatorEx ours = {former, allocate, allocate_zeroed, reallocate, release};
    PyMem_SetAllocator(domain, &ours);
}

PyObject *pyl_install_nursery(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    if (nursery)
        Py_RETURN_NONE;
    void *fresh = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED)
        return PyErr_SetFromErrno(PyExc_OSError);
    nursery = fresh;
    class_of = fresh;
    next_chunk = CHUNKS / CHUNK; /* one byte a chunk */
    replace(PYMEM_DOMAIN_MEM, &former_memory);
    replace(PYMEM_DOMAIN_OBJ, &former_object);
    Py_RETURN_NONE;
}
