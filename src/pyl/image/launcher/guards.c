/* See guards.h. */
#include "guards.h"

#include "report.h"
#include "system.h"

enum { SIGILL = 4, SA_NODEFER = 0x40000000, SA_RESTORER = 0x04000000 };

/* -- the processor ---------------------------------------------------------------------------------- */

static void *why_plain; /* where the SIGILL handler goes on */

/* Try the instructions that captured code may use, rather than ask `cpuid`: that traps into the hypervisor, some
 * 10 microseconds each time, and says less. The handler returns to the label behind. */
static __attribute__((noinline)) int processor_suffices(void)
{
    long good = 1;
    __asm__ volatile("lea 1f(%%rip), %%rax\n"
                     "mov %%rax, %1\n"
                     "vpaddd %%ymm0, %%ymm0, %%ymm0\n"           /* AVX2, and a kernel that keeps ymm */
                     "vfmadd231ps %%ymm0, %%ymm0, %%ymm0\n"      /* FMA */
                     "vcvtph2ps %%xmm0, %%ymm0\n"                /* F16C */
                     "andn %%rax, %%rax, %%rcx\n"                /* BMI1 */
                     "mulx %%rax, %%rax, %%rcx\n"                /* BMI2 */
                     "popcnt %%rax, %%rax\n"
                     "movbe (%%rsp), %%rax\n"
                     "aesenc %%xmm0, %%xmm0\n"
                     "pclmulqdq $0, %%xmm0, %%xmm0\n"
                     "vzeroupper\n"
                     "mov $1, %%eax\n"
                     "lzcnt %%rax, %%rax\n" /* a processor without it runs bsr, and answers 0 */
                     "cmp $63, %%rax\n"
                     "je 2f\n"
                     "1: xor %%eax, %%eax\n"
                     "   jmp 3f\n"
                     "2: mov $1, %%eax\n"
                     "3:\n"
                     : "=&a"(good), "=m"(why_plain)
                     :
                     : "rcx", "rdx", "cc", "memory");
    return (int)good;
}

/* The instruction pointer of a signal frame's context: ucontext's general registers begin at 40, RIP is the 17th. */
__asm__(".globl on_illegal_instruction\n"
        "on_illegal_instruction:\n"
        "  mov why_plain_address(%rip), %rax\n"
        "  mov (%rax), %rax\n"
        "  mov %rax, 168(%rdx)\n"
        "  ret\n"
        ".globl return_from_signal\n"
        "return_from_signal:\n"
        "  mov $15, %eax\n"
        "  syscall\n");
extern char on_illegal_instruction[], return_from_signal[];
__attribute__((used)) void **why_plain_address;

int processor_holds(void)
{
    why_plain_address = &why_plain;
    struct kernel_action ours = {on_illegal_instruction, SA_NODEFER | SA_RESTORER | 4 /* SA_SIGINFO */, return_from_signal, 0}, theirs;
    system_call(SYS_rt_sigaction, SIGILL, &ours, &theirs, 8);
    int holds = processor_suffices();
    system_call(SYS_rt_sigaction, SIGILL, &theirs, NULL, 8);
    return holds;
}

/* -- the environment -------------------------------------------------------------------------------- */

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
static const char *other_variable(char *const *environment, const char *names)
{
    for (char *const *entry = environment; *entry; entry++)
        if (!is_named(*entry, names))
            return *entry;
    return NULL;
}

static int guard_holds(const struct start *started, const struct image_header *header, const struct image_guard *guard)
{
    if (guard->kind == GUARD_TASK_ROOT)
        return equal(started->folder, TEXT(header, guard->value));
    if (guard->kind == GUARD_NO_OTHER)
        return !other_variable(started->environment, TEXT(header, guard->value));
    const char *value = variable(started->environment, TEXT(header, guard->name));
    if (guard->kind == GUARD_ABSENT)
        return !value;
    return guard->kind == GUARD_EQUAL && value && equal(value, TEXT(header, guard->value));
}

const struct image_guard *failing_guard(const struct start *started, const struct image_header *header,
                                        const struct image_variant *variant)
{
    const struct image_guard *guards = TABLE(header, variant->guards, struct image_guard);
    for (uint32_t i = 0; i < variant->guards.count; i++)
        if (!guard_holds(started, header, &guards[i]))
            return &guards[i];
    return NULL;
}

void say_guard(const struct start *started, const struct image_header *header, const struct image_guard *guard,
               const char *instead)
{
    if (guard->kind == GUARD_TASK_ROOT) {
        const char *details[] = {"guard", "task root", "instead", instead, "found", started->folder, NULL};
        log_line("WARN", "the process image is not used: the package does not stand at /var/task; starting without it", details);
        return;
    }
    if (guard->kind == GUARD_NO_OTHER) {
        const char *entry = other_variable(started->environment, TEXT(header, guard->value));
        size_t length = 0;
        while (entry[length] && entry[length] != '=')
            length++;
        char *name = fresh_memory(length + 1); /* never the value: it may be a secret */
        const char *details[] = {"guard", "other variables", "instead", instead, "found", name ? memcpy(name, entry, length) : "?", NULL};
        log_line("WARN", "the process image is not used: all environment variables were looked at at import, and this one was not set at the "
                         "build; set it in the project's configuration too, or look inside the handler", details);
        return;
    }
    const char *details[] = {"guard", TEXT(header, guard->name), "instead", instead, NULL};
    log_line("WARN",
             guard->kind == GUARD_ABSENT
                 ? "the process image is not used: this environment variable was read at import, and was not set at the build; "
                   "set it in the project's configuration too, or read it inside the handler"
                 : "the process image is not used: this environment variable was read at import, and has another value than at the "
                   "build; give it the same value in the project's configuration, or read it inside the handler",
             details);
}
