/* One more function that a compiler calls by name even where no C library is. */
#include "system.h"

int memcmp(const void *a, const void *b, size_t count)
{
    const unsigned char *left = a, *right = b;
    for (; count; count--, left++, right++)
        if (*left != *right)
            return *left - *right;
    return 0;
}
