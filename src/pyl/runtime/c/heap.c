/* See heap.h.
 *
 * A restored process writes to every object it uses, if only to count references, and each page it writes to costs a
 * fault and a copy. So what a cold start uses should lie together, apart from the nine tenths that it does not use,
 * and what it makes should fill no holes between them. At capture this allocator stands in for Python's own, for
 * blocks of up to 16 kB (classes and their dictionaries among them), from before the interpreter starts. It has three
 * pools: `cold`, `hot` for objects of which earlier runs of the same program have shown that a cold start uses
 * them (see placement.py), and `nursery` for what a restored process makes.
 *
 * An object is known again in the next run by its key: the phase it was allocated in (a module's import, mostly), its
 * size class, and how many of its class were allocated before in that phase. A wrong guess costs speed and nothing
 * else.
 *
 * Stretches of chunks belong to one size class for good; freed blocks are used again last in, first out. When the
 * nursery is full, what was freed of the image is used again, and then Python's own allocator goes on, which gives
 * memory of one size back for another. All of it is guarded by the GIL. The memory of objects is replaced before the
 * first module is loaded, because modules that Nuitka compiled remember the allocator's functions. */
#include "heap.h"

#include "capture.h"
#include "environment.h"
#include "tracer_call.h"
#include "wiping.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    GRAIN = PYL_GRAIN,
    SMALL = 512, /* up to here there is a class for each multiple of GRAIN; from here four for each power of two */
    SMALL_CLASSES = SMALL / GRAIN,
    LARGEST = 16 << 10,
    CLASSES = SMALL_CLASSES + 4 * 5,
    CHUNK = 1024,
    STRETCH = 8 << 10, /* bytes that a class of larger blocks gets at once, or one block if that is more */
    PAGE = PYL_PAGE,
    NURSERY = 16 << 20,
    HOT = 512 << 20, /* of which little is used, unless each block is isolated */
    COLD = 512 << 20,
    BYTES = NURSERY + HOT + COLD,
    CLASS_TABLE = BYTES / CHUNK, /* one byte a chunk */
};

#define RECORD_TABLE ((size_t)BYTES / GRAIN * sizeof(uint64_t))

struct block {
    struct block *next;
};

struct size_class {
    struct block *freed;
    char *at, *end;
};

struct pool {
    char *start, *next, *end;
    int is_isolated; /* each block has pages of its own */
    struct size_class classes[CLASSES];
};

static char *heap;        /* what is handed out; the pools lie one behind the other */
static uint8_t *class_of; /* of each chunk */
static struct pool nursery, hot, cold;
static int is_settled;

/* -- keys ------------------------------------------------------------------------------------------ */

static uint64_t *recorded; /* of each grain's block; NULL unless they are to be recorded */
static uint64_t *chosen;   /* a hash table of keys; zero is none */
static uint64_t chosen_mask;
static uint32_t phase;
static uint32_t allocated_count[CLASSES];

static uint64_t key_of_next(unsigned index)
{
    return (uint64_t)phase << 32 | (uint64_t)index << 26 | allocated_count[index]++;
}

static uint64_t slot_of(uint64_t key) { return (key * 0x9e3779b97f4a7c15ul >> 20) & chosen_mask; }

static int is_chosen(uint64_t key)
{
    for (uint64_t slot = slot_of(key); chosen[slot]; slot = (slot + 1) & chosen_mask)
        if (chosen[slot] == key)
            return 1;
    return 0;
}

static void *anonymous(size_t bytes)
{
    void *fresh = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return fresh == MAP_FAILED ? NULL : fresh;
}

static void fetch_chosen(uint64_t count)
{
    uint64_t room = 1024, *keys = anonymous(count * sizeof *keys);
    while (room < count * 2)
        room *= 2;
    uint64_t *table = anonymous(room * sizeof *table);
    if (!keys || !table || call_tracer(PYL_GET_KEYS, keys, (long)(count * sizeof *keys)))
        return;
    chosen = table;
    chosen_mask = room - 1;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t slot = slot_of(keys[i]);
        while (chosen[slot])
            slot = (slot + 1) & chosen_mask;
        chosen[slot] = keys[i];
    }
    munmap(keys, count * sizeof *keys);
}

PyObject *pyl_heap_phase(PyObject *module, PyObject *name)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    (void)module;
    if (!text)
        return NULL;
    phase = 2166136261u; /* FNV-1a */
    for (Py_ssize_t i = 0; i < length; i++)
        phase = (phase ^ (unsigned char)text[i]) * 16777619u;
    memset(allocated_count, 0, sizeof allocated_count);
    Py_RETURN_NONE;
}

/* -- blocks ---------------------------------------------------------------------------------------- */

static inline int is_in(const struct pool *pool, const void *block)
{
    return (uintptr_t)block - (uintptr_t)pool->start < (uintptr_t)pool->end - (uintptr_t)pool->start;
}

/* NULL for a block of another allocator. */
static inline struct pool *pool_of(const void *block)
{
    return is_in(&nursery, block) ? &nursery : is_in(&hot, block) ? &hot : is_in(&cold, block) ? &cold : NULL;
}

static inline unsigned class_for(size_t size)
{
    if (size <= SMALL)
        return size ? (unsigned)((size - 1) / GRAIN) : 0;
    unsigned power = 63 - (unsigned)__builtin_clzl(size - 1); /* 2^power < size <= 2^(power + 1) */
    return SMALL_CLASSES + 4 * (power - 9) + (unsigned)((size - 1) >> (power - 2) & 3);
}

static inline size_t class_size(unsigned index)
{
    if (index < SMALL_CLASSES)
        return (index + 1) * (size_t)GRAIN;
    unsigned above = index - SMALL_CLASSES;
    return ((size_t)SMALL << above / 4) / 4 * (5 + above % 4);
}

static inline unsigned class_of_block(const void *block)
{
    return class_of[(size_t)((const char *)block - heap) / CHUNK];
}

/* Bytes, whole chunks. */
static inline size_t stretch_of(const struct pool *pool, unsigned index)
{
    size_t size = class_size(index);
    if (pool->is_isolated)
        return (size + PAGE - 1) / PAGE * PAGE;
    return index < SMALL_CLASSES ? CHUNK : size < STRETCH ? STRETCH : (size + CHUNK - 1) / CHUNK * CHUNK;
}

static inline void *take_freed(struct pool *pool, unsigned index)
{
    struct block *block = pool->classes[index].freed;
    if (block)
        pool->classes[index].freed = block->next;
    return block;
}

static void *take_from(struct pool *pool, unsigned index)
{
    void *block = take_freed(pool, index);
    if (block)
        return block;
    struct size_class *from = &pool->classes[index];
    if (from->at == from->end) {
        size_t size = class_size(index), stretch = stretch_of(pool, index);
        if ((size_t)(pool->end - pool->next) < stretch)
            return NULL;
        memset(class_of + (size_t)(pool->next - heap) / CHUNK, (int)index, stretch / CHUNK);
        from->at = pool->next;
        from->end = from->at + (pool->is_isolated ? 1 : stretch / size) * size;
        pool->next += stretch;
    }
    char *fresh = from->at;
    from->at += class_size(index);
    return fresh;
}

/* On each page that it has a part of. */
static void record(const void *block, unsigned index, uint64_t key)
{
    size_t first = (size_t)((const char *)block - heap), end = first + class_size(index);
    for (size_t at = first; at < end; at = at / PAGE * PAGE + PAGE)
        recorded[at / GRAIN] = key;
}

/* While the program is captured. */
static void *place(unsigned index)
{
    uint64_t key = key_of_next(index);
    void *block = chosen && is_chosen(key) ? take_from(&hot, index) : NULL;
    if (!block)
        block = take_from(&cold, index);
    if (block && recorded)
        record(block, index, key);
    return block;
}

static void *take(size_t size)
{
    unsigned index = class_for(size);
    if (!is_settled)
        return place(index);
    void *block = take_from(&nursery, index);
    if (!block)
        block = take_freed(&hot, index);
    return block ? block : take_freed(&cold, index);
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

/* At capture the content of freed memory is wiped at once: it would make the image larger, and be a difference between
 * two captures wherever a smaller object lies later. */
static void release(const PyMemAllocatorEx *former, void *block)
{
    struct pool *pool = pool_of(block);
    if (!pool) {
        former->free(former->ctx, block);
        return;
    }
    struct size_class *to = &pool->classes[class_of_block(block)];
    if (!is_settled)
        memset(block, 0, class_size(class_of_block(block)));
    ((struct block *)block)->next = to->freed;
    to->freed = block;
    if (recorded)
        record(block, class_of_block(block), 0);
}

static void *reallocate(const PyMemAllocatorEx *former, void *block, size_t size)
{
    if (!block)
        return allocate(former, size);
    if (!pool_of(block))
        return former->realloc(former->ctx, block, size);
    size_t room = class_size(class_of_block(block));
    if (size <= room && size > room / 2) {
        if (!is_settled)
            memset((char *)block + size, 0, room - size);
        return block;
    }
    void *larger = allocate(former, size);
    if (!larger)
        return NULL;
    memcpy(larger, block, size < room ? size : room);
    release(former, block);
    return larger;
}

/* What Python calls, for one domain. The context is not used: compiled code may call with one that it once read. */
#define DOMAIN(name)                                                                                                   \
    static PyMemAllocatorEx former_##name;                                                                             \
    static void *name##_malloc(void *context, size_t size) { return (void)context, allocate(&former_##name, size); }   \
    static void *name##_calloc(void *context, size_t count, size_t size)                                               \
    {                                                                                                                  \
        return (void)context, allocate_zeroed(&former_##name, count, size);                                            \
    }                                                                                                                  \
    static void *name##_realloc(void *context, void *block, size_t size)                                               \
    {                                                                                                                  \
        return (void)context, reallocate(&former_##name, block, size);                                                 \
    }                                                                                                                  \
    static void name##_free(void *context, void *block) { (void)context, release(&former_##name, block); }             \
    static void name##_install(PyMemAllocatorDomain domain)                                                            \
    {                                                                                                                  \
        PyMem_GetAllocator(domain, &former_##name);                                                                    \
        PyMemAllocatorEx allocator = {NULL, name##_malloc, name##_calloc, name##_realloc, name##_free};                \
        PyMem_SetAllocator(domain, &allocator);                                                                        \
    }

DOMAIN(object)
DOMAIN(memory)

/* -- before the first object, and after the last of the image --------------------------------------- */

static struct pool pool_at(size_t offset, size_t bytes)
{
    return (struct pool){.start = heap + offset, .next = heap + offset, .end = heap + offset + bytes};
}

/* The capture preloads this library, so that this runs before the interpreter starts. */
__attribute__((constructor)) static void install(void)
{
    if (Py_IsInitialized() || call_tracer(PYL_IS_CAPTURED, NULL, 0) != 1)
        return;
    environment_remember_strings();
    environment_remember_time_zone();
    unsetenv("LD_PRELOAD"); /* the loader has read both, and the program shall see what Lambda sets */
    unsetenv("LD_BIND_NOW");
    char *table = anonymous(CLASS_TABLE + (size_t)BYTES);
    if (!table)
        return;
    class_of = (uint8_t *)table;
    heap = table + CLASS_TABLE;
    struct pyl_placement placement = {0};
    if (call_tracer(PYL_GET_PLACEMENT, &placement, sizeof placement))
        return;
    nursery = pool_at(0, NURSERY);
    hot = pool_at(NURSERY, HOT);
    hot.is_isolated = placement.mode == PYL_PLACEMENT_ISOLATED;
    cold = pool_at(NURSERY + HOT, COLD);
    if (placement.mode != PYL_PLACEMENT_COMPACT)
        recorded = anonymous(RECORD_TABLE);
    if (placement.key_count)
        fetch_chosen(placement.key_count);
    wipe_freed(1);
    object_install(PYMEM_DOMAIN_OBJ);
    memory_install(PYMEM_DOMAIN_MEM);
}

static void put_blocks(const struct pool *pool)
{
    const uint64_t *keys = recorded + (pool->start - heap) / GRAIN;
    struct pyl_blocks blocks = {(uint64_t)pool->start, (uint64_t)(pool->next - pool->start), (uint64_t)keys};
    call_tracer(PYL_PUT_BLOCKS, &blocks, sizeof blocks);
}

/* Nothing more is allocated there. Where the kernel does not overcommit, a restored process would not get the address
 * space. */
static void drop_unused(struct pool *pool)
{
    char *from = pool->next + (PAGE - (size_t)(pool->next - heap) % PAGE) % PAGE;
    munmap(from, (size_t)(pool->end - from));
    pool->end = pool->next;
}

void heap_settle(void)
{
    wipe_freed(0);
    if (!heap)
        return;
    if (recorded) {
        put_blocks(&hot);
        put_blocks(&cold);
        madvise(recorded, RECORD_TABLE, MADV_DONTNEED);
        recorded = NULL;
    }
    if (chosen) {
        munmap(chosen, (chosen_mask + 1) * sizeof *chosen);
        chosen = NULL;
    }
    drop_unused(&hot);
    drop_unused(&cold);
    malloc_trim(0); /* the same for what the C library holds */
    is_settled = 1;
}
