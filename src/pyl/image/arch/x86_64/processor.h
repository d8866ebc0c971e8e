/* What the launcher does that depends on the processor. */
#ifndef PYL_PROCESSOR_H
#define PYL_PROCESSOR_H

#include "processor_state.h"
#include "system.h"

#include <asm/prctl.h>
#include <linux/signal.h>

#define ADDRESS_LIMIT 0x7ffffffff000ul /* the lowest address that no program has, with four levels of page tables */

#define PROCESSOR_MISSING                                                                                              \
    "the process image is not used: it needs an x86-64-v3 processor with AES (AVX2, BMI2, FMA); starting without it"
#define LOADER_FAILED "the package's loader cannot be executed on this machine (an x86-64 Linux is needed)"

/* Define the entry point of a program: it calls `function` with the initial stack pointer, on the stack `stack` of so
 * many bytes. */
#define ENTRY_POINT(function, stack, stack_bytes)                                                                      \
    __asm__(".globl _start\n"                                                                                          \
            "_start:\n"                                                                                                \
            "  mov %rsp, %rdi\n"                                                                                       \
            "  lea " #stack "+" #stack_bytes "(%rip), %rsp\n"                                                          \
            "  xor %ebp, %ebp\n"                                                                                       \
            "  call " #function "\n"                                                                                   \
            "  hlt\n")

/* Can this processor run everything that captured code may use? */
int is_processor_sufficient(void);

extern __attribute__((visibility("hidden"))) char return_from_signal[];

/* Let a handler return; `action` is whole but for that. */
static inline void set_restorer(struct sigaction *action)
{
    action->sa_flags |= SA_RESTORER;
    action->sa_restorer = (__sigrestore_t)return_from_signal;
}

static inline uint64_t instruction_pointer(const struct processor_state *state) { return state->rip; }

static inline uint64_t stack_pointer(const struct processor_state *state) { return state->rsp; }

/* Can the registers be loaded without a fault? */
static inline int is_processor_state_sound(const struct processor_state *state)
{
    return state->fs_base < ADDRESS_LIMIT && state->gs_base < ADDRESS_LIMIT && state->x87_control <= UINT16_MAX &&
           state->mxcsr <= UINT16_MAX; /* the bits above are reserved */
}

/* Set the registers that only the kernel can set. */
static inline void set_thread_pointer(const struct processor_state *state)
{
    system_call(__NR_arch_prctl, ARCH_SET_FS, state->fs_base);
    if (state->gs_base)
        system_call(__NR_arch_prctl, ARCH_SET_GS, state->gs_base);
}

/* Go on where the program stopped, as if its system call had returned `result`. */
static inline _Noreturn void continue_program(const struct processor_state *state, const void *result)
{
    uint16_t x87_control = (uint16_t)state->x87_control;
#define MEMBER(name) [name] "i"(offsetof(struct processor_state, name))
    __asm__ volatile("fldcw %[x87]\n"
                     "ldmxcsr %[mxcsr]\n"
                     "mov %c[rsp](%[state]), %%rsp\n"
                     "mov %c[rbx](%[state]), %%rbx\n"
                     "mov %c[rbp](%[state]), %%rbp\n"
                     "mov %c[r12](%[state]), %%r12\n"
                     "mov %c[r13](%[state]), %%r13\n"
                     "mov %c[r14](%[state]), %%r14\n"
                     "mov %c[r15](%[state]), %%r15\n"
                     "cld\n"
                     "jmp *%c[rip](%[state])\n"
                     :
                     : [state] "d"(state), "a"(result), [x87] "m"(x87_control), [mxcsr] "m"(state->mxcsr), MEMBER(rip),
                       MEMBER(rsp), MEMBER(rbx), MEMBER(rbp), MEMBER(r12), MEMBER(r13), MEMBER(r14), MEMBER(r15)
                     : "memory");
#undef MEMBER
    __builtin_unreachable();
}

#endif
