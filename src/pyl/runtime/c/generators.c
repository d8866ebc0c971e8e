/* See generators.h. */
#include "generators.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

/* https://www.sqlite.org/c3ref/randomness.html: without room for bytes it forgets its state. */
static void renew_sqlite(void *library)
{
    void (*randomness)(int, void *) = (void (*)(int, void *))dlsym(library, "sqlite3_randomness");
    if (randomness)
        randomness(0, NULL);
}

static int visit(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (!info->dlpi_name || !strstr(info->dlpi_name, "sqlite3"))
        return 0;
    void *library = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
    if (library) {
        renew_sqlite(library);
        dlclose(library);
    }
    return 0;
}

PyObject *pyl_renew_generators(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    dl_iterate_phdr(visit, NULL);
    Py_RETURN_NONE;
}
