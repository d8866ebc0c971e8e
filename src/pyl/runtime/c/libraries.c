/* See libraries.h. */
#include "libraries.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* `struct r_file_id` of glibc. It lies behind what <link.h> shows of `struct link_map`, in each version elsewhere, and
 * is all zeros, as no file's is, where the loader did not open the file itself. */
struct file_number {
    dev_t device;
    ino_t inode;
};
enum { SEARCHED = 1120 }; /* bytes of a `struct link_map`, of which every glibc since 2.26 has more */

static const struct file_number none;
static size_t numbers; /* where they are in a `struct link_map`; 0 when that is not known */

static int has_file(const struct link_map *library, struct file_number *number)
{
    struct stat status;
    if (library->l_name[0] != '/' || stat(library->l_name, &status))
        return 0;
    *number = (struct file_number){status.st_dev, status.st_ino};
    return 1;
}

static int has_number_at(const struct link_map *library, size_t byte, const struct file_number *number)
{
    return !memcmp((const char *)library + byte, number, sizeof *number);
}

/* Whether each library whose file is there has its number at this byte, or none. */
static int all_have_numbers_at(size_t byte)
{
    struct file_number number;
    for (const struct link_map *library = _r_debug.r_map; library; library = library->l_next)
        if (has_file(library, &number) && !has_number_at(library, byte, &number) &&
            !has_number_at(library, byte, &none))
            return 0;
    return 1;
}

PyObject *pyl_prepare_libraries(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    Dl_info ignored;
    struct link_map *own; /* of this library, which the loader has opened, whatever else it has */
    struct file_number number;
    if (dladdr1(&none, &ignored, (void **)&own, RTLD_DL_LINKMAP) && has_file(own, &number))
        for (size_t byte = sizeof *own; !numbers && byte <= SEARCHED - sizeof number; byte += sizeof(long))
            if (has_number_at(own, byte, &number) && all_have_numbers_at(byte))
                numbers = byte;
    return PyBool_FromLong(numbers != 0);
}

/* A name like `/a/b/../c.so` would not be known again as `/a/c.so` without the file's number. The loader adds to a
 * library's names what it was asked for by, once it has found that it is the same file. */
static void add_plain_name(const struct link_map *library)
{
    char *plain = strchr(library->l_name, '/') ? realpath(library->l_name, NULL) : NULL;
    if (plain && strcmp(plain, library->l_name)) {
        void *same = dlopen(plain, RTLD_LAZY | RTLD_NOLOAD);
        if (same)
            dlclose(same);
    }
    free(plain);
}

int libraries_forget_files(void)
{
    if (!numbers)
        return 0;
    for (const struct link_map *library = _r_debug.r_map; library; library = library->l_next)
        add_plain_name(library);
    for (struct link_map *library = _r_debug.r_map; library; library = library->l_next)
        if (!has_number_at(library, numbers, &none)) /* the loader's own record may be read-only */
            memset((char *)library + numbers, 0, sizeof none);
    return 1;
}
