/* See nursery.h.
 *
 * Python's own allocator fills the holes between the objects of the image: each small allocation would write to
 * another page of it, and each such page costs a fault and a copy. The nursery takes the small allocations of
 * the first megabytes instead. Chunks belong to one size for good; freed blocks are used again last in, first out.
 * When it is full, Python's allocator goes on as if nothing had been. The domain is guarded by the GIL.
 *
 * Only the domain of objects is replaced: modules that Nuitka compiled remember the `realloc` of the memory domain
 * (and the `malloc` of both) from when they were loaded, and would hand blocks of ours to the former one. */
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

static void *allocate(const PyMemAllocatorEx *former, size_t size)
{
    void *block = size <= LARGEST ? take(size) : NULL;
    return block ? block : former->malloc(former->ctx, size);
}

static void *allocate_zeroed(const PyMemAllocatorEx *former, size_t count, size_t size)
{
    if (size && count > LARGEST / size)
        return former->calloc(former->ctx, count, size);
    void *block = take(count * size);
    return block ? memset(block, 0, count * size) : former->calloc(former->ctx, count, size);
}

static void release(const PyMemAllocatorEx *former, void *block)
{
    if (!is_ours(block)) {
        former->free(former->ctx, block);
        return;
    }
    struct size_class *to = &classes[class_of_block(block)];
    ((struct block *)block)->next = to->freed;
    to->freed = block;
}

static void *reallocate(const PyMemAllocatorEx *former, void *block, size_t size)
{
    if (!block)
        return allocate(former, size);
    if (!is_ours(block))
        return former->realloc(former->ctx, block, size);
    size_t room = class_size(class_of_block(block));
    if (size <= room && size > room / 2)
        return block;
    void *larger = allocate(former, size);
    if (!larger)
        return NULL;
    memcpy(larger, block, size < room ? size : room);
    release(former, block);
    return larger;
}

/* What Python calls, for one domain. The context is not used: compiled code may call with one that it once read. */
#define DOMAIN(name)                                                                                                  \
    static PyMemAllocatorEx former_##name;                                                                            \
    static void *name##_malloc(void *context, size_t size) { return (void)context, allocate(&former_##name, size); } \
    static void *name##_calloc(void *context, size_t count, size_t size)                                              \
    {                                                                                                                 \
        return (void)context, allocate_zeroed(&former_##name, count, size);                                           \
    }                                                                                                                 \
    static void *name##_realloc(void *context, void *block, size_t size)                                              \
    {                                                                                                                 \
        return (void)context, reallocate(&former_##name, block, size);                                                \
    }                                                                                                                 \
    static void name##_free(void *context, void *block) { (void)context, release(&former_##name, block); }           \
    static void name##_install(PyMemAllocatorDomain domain)                                                           \
    {                                                                                                                 \
        PyMem_GetAllocator(domain, &former_##name);                                                                   \
        PyMemAllocatorEx ours = {NULL, name##_malloc, name##_calloc, name##_realloc, name##_free};                    \
        PyMem_SetAllocator(domain, &ours);                                                                            \
    }

DOMAIN(object)

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
    object_install(PYMEM_DOMAIN_OBJ);
    Py_RETURN_NONE;
}
