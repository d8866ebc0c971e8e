/* See guards.h. */
#include "guards.h"

#include "report.h"
#include "system.h"

/* Is the variable at `entry` named in `names`, one a line, `*` standing for any ending? */
static int is_named(const char *entry, const char *names)
{
    while (*names) {
        const char *at = entry;
        while (*names && *names != '\n' && *names != '*' && *names == *at)
            names++, at++;
        if (*names == '*' || ((*names == '\n' || !*names) && *at == '='))
            return 1;
        while (*names && *names++ != '\n')
            ;
    }
    return 0;
}

/* The first variable that is not named, as `name=value`, or NULL. */
static const char *find_other_variable(char *const *environment, const char *names)
{
    for (char *const *entry = environment; *entry; entry++)
        if (!is_named(*entry, names))
            return *entry;
    return NULL;
}

static int guard_holds(const struct start *start, const struct image_header *header, const struct image_guard *guard)
{
    if (guard->kind == GUARD_TASK_ROOT)
        return str_equal(start->folder, TEXT(header, guard->value));
    if (guard->kind == GUARD_NO_OTHER)
        return !find_other_variable(start->environment, TEXT(header, guard->value));
    const char *value = get_variable(start->environment, TEXT(header, guard->name));
    if (guard->kind == GUARD_ABSENT)
        return !value;
    return guard->kind == GUARD_EQUAL && value && str_equal(value, TEXT(header, guard->value));
}

const struct image_guard *find_failing_guard(const struct start *start, const struct image_header *header,
                                             const struct image_variant *variant)
{
    const struct image_guard *guards = TABLE(header, variant->guards, struct image_guard);
    for (uint32_t i = 0; i < variant->guards.count; i++)
        if (!guard_holds(start, header, &guards[i]))
            return &guards[i];
    return NULL;
}

#define NOT_USED "the process image is not used: "

static void log_other_variable(const char *entry, const char *instead)
{
    size_t length = 0;
    while (entry[length] && entry[length] != '=')
        length++;
    char *name = map_zeroed(length + 1); /* never the value: it may be a secret */
    const char *details[] = {
        "guard", "other variables", "instead", instead, "found", name ? memcpy(name, entry, length) : "?", NULL};
    log_line("WARN",
             NOT_USED
             "all environment variables were read at import, and this one was not set at the build; set it in the "
             "project's configuration too, or read the variables inside the handler",
             details);
}

void log_failing_guard(const struct start *start, const struct image_header *header, const struct image_guard *guard,
                       const char *instead)
{
    if (guard->kind == GUARD_TASK_ROOT) {
        const char *details[] = {"guard", "task root", "instead", instead, "found", start->folder, NULL};
        log_line("WARN", NOT_USED "the package is not at /var/task; starting without it", details);
        return;
    }
    if (guard->kind == GUARD_NO_OTHER) {
        log_other_variable(find_other_variable(start->environment, TEXT(header, guard->value)), instead);
        return;
    }
    const char *details[] = {"guard", TEXT(header, guard->name), "instead", instead, NULL};
    log_line("WARN",
             guard->kind == GUARD_ABSENT ? NOT_USED
                 "this environment variable was read at import, and was not set at the build; set it in the "
                 "project's configuration too, or read it inside the handler"
                                         : NOT_USED
                 "this environment variable was read at import, and has another value than at the build; give "
                 "it the same value in the project's configuration, or read it inside the handler",
             details);
}
