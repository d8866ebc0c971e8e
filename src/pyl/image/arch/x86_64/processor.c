/* Checks the processor by running instructions that captured code may use. */
#include "processor.h"

static void *fallback; /* where the SIGILL handler goes on */

/* Try the instructions rather than ask `cpuid`: that traps into the hypervisor, some 10 microseconds each time, and
 * says less. The handler returns to the label behind. */
static __attribute__((noinline)) int try_instructions(void)
{
    long is_sufficient = 1;
    __asm__ volatile("lea 1f(%%rip), %%rax\n"
                     "mov %%rax, %1\n"
                     "vpaddd %%ymm0, %%ymm0, %%ymm0\n"      /* AVX2, and a kernel that keeps ymm */
                     "vfmadd231ps %%ymm0, %%ymm0, %%ymm0\n" /* FMA */
                     "vcvtph2ps %%xmm0, %%ymm0\n"           /* F16C */
                     "andn %%rax, %%rax, %%rcx\n"           /* BMI1 */
                     "mulx %%rax, %%rax, %%rcx\n"           /* BMI2 */
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
                     : "=&a"(is_sufficient), "=m"(fallback)
                     :
                     : "rcx", "rdx", "cc", "memory");
    return (int)is_sufficient;
}

/* The instruction pointer of a signal frame's context: ucontext's general registers begin at 40, RIP is the 17th. */
__asm__(".globl on_illegal_instruction\n"
        "on_illegal_instruction:\n"
        "  mov fallback_address(%rip), %rax\n"
        "  mov (%rax), %rax\n"
        "  mov %rax, 168(%rdx)\n"
        "  ret\n"
        ".globl return_from_signal\n"
        "return_from_signal:\n"
        "  mov $15, %eax\n" /* __NR_rt_sigreturn */
        "  syscall\n");
extern char on_illegal_instruction[];
__attribute__((used)) void **fallback_address;

int is_processor_sufficient(void)
{
    fallback_address = &fallback;
    struct sigaction former;
    struct sigaction action = {
        .sa_handler = (__sighandler_t)on_illegal_instruction,
        .sa_flags = SA_NODEFER | SA_SIGINFO,
    };
    set_restorer(&action);
    system_call(__NR_rt_sigaction, SIGILL, &action, &former, sizeof action.sa_mask);
    int is_sufficient = try_instructions();
    system_call(__NR_rt_sigaction, SIGILL, &former, NULL, sizeof former.sa_mask);
    return is_sufficient;
}
