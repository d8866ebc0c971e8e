/* See libraries.h. */
#include "libraries.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* `struct r_file_id` of glibc. It lies behind what <link.h> shows of `struct link_map`, in each version elsewhere, and is
 * all zeros where the kernel mapped the file, as no file's is. */
struct file_number {
    dev_t device;
    ino_t inode;
};
enum { SEARCHED = 1120 }; /* bytes of a `struct link_map`, of which every glibc since 2.26 has more */

static size_t numbers; /* where they are in a `struct link_map` */

static int has_file(const struct link_map *library, struct file_number *number)
{
    struct stat status;
    if (library->l_name[0] != '/' || stat(library->l_name, &status))
        return 0;
    *number = (struct file_number){status.st_dev, status.st_ino};
    return 1;
}

/* Whether the library has the number of its file at this byte, or none, as those that the kernel mapped. */
static int has_number_at(const struct link_map *library, size_t byte)
{
    static const struct file_number none;
    struct file_number number;
    const char *there = (const char *)library + byte;
    return !has_file(library, &number) || !memcmp(there, &number, sizeof number) || !memcmp(there, &none, sizeof none);
}

/* Where all libraries have the numbers of their files; 0 when there is no such place. */
static size_t place_of_numbers(const struct link_map *first, const struct link_map *any)
{
    struct file_number number;
    has_file(any, &number);
    for (size_t byte = sizeof *any; byte <= SEARCHED - sizeof number; byte += sizeof(long)) {
        if (memcmp((const char *)any + byte, &number, sizeof number))
            continue;
        const struct link_map *library = first;
        while (library && has_number_at(library, byte))
            library = library->l_next;
        if (!library)
            return byte;
    }
    return 0;
}

/* A name like `/a/b/../c.so` would not be known again as `/a/c.so` without the file's number. The loader adds to a
 * library's names what it was asked for by, once it has found that it is the same file. */
static void add_plain_name(const struct link_map *library)
{
    char *plain = realpath(library->l_name, NULL);
    if (plain && strcmp(plain, library->l_name)) {
        void *same = dlopen(plain, RTLD_LAZY | RTLD_NOLOAD);
        if (same)
            dlclose(same);
    }
    free(plain);
}

PyObject *pyl_find_file_numbers(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    struct file_number number;
    const struct link_map *first = _r_debug.r_map, *last = first;
    while (last->l_next)
        last = last->l_next;
    while (last && !has_file(last, &number))
        last = last->l_prev;
    numbers = last ? place_of_numbers(first, last) : 0;
    return PyBool_FromLong(numbers != 0);
}

void libraries_forget_files(void)
{
    struct file_number number;
    for (const struct link_map *library = _r_debug.r_map; library; library = library->l_next)
        if (has_file(library, &number))
            add_plain_name(library);
    for (struct link_map *library = _r_debug.r_map; library; library = library->l_next)
        if (has_file(library, &number))
            memset((char *)library + numbers, 0, sizeof number);
}
