/* Stands for the capture's tracer, so that the heap can be tried in a Python of one's own. PYL_TEST_MODE is the mode, and
 * PYL_TEST_KEYS says how many keys are wanted: those of the first blocks of each size class. */
#include "capture.h"
#include "heap.h"
#include "tracer_call.h"

#include <stdlib.h>

long call_tracer(long operation, const void *address, long length)
{
    struct pyl_placement *placement = (struct pyl_placement *)address;
    (void)length;
    if (operation == PYL_IS_CAPTURED)
        return 1;
    if (operation == PYL_GET_PLACEMENT) {
        placement->mode = (uint64_t)atol(getenv("PYL_TEST_MODE"));
        placement->key_count = getenv("PYL_TEST_KEYS") ? (uint64_t)atol(getenv("PYL_TEST_KEYS")) : 0;
    }
    if (operation == PYL_GET_KEYS)
        for (long i = 0; i < length / 8; i++)
            ((uint64_t *)address)[i] = (uint64_t)(i % 52) << 26 | (uint64_t)(i / 52);
    return 0;
}

/* For the test: from here on, as after a capture. */
__attribute__((visibility("default"))) void settle(void) { heap_settle(); }
