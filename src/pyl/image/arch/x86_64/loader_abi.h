/* How the capture loader starts a program: the processor that the program is to see, and its first instruction. */
#ifndef PYL_LOADER_ABI_H
#define PYL_LOADER_ABI_H

#include "system.h"

#include <asm/prctl.h>
#include <linux/audit.h>

#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif

#define SECCOMP_ARCHITECTURE AUDIT_ARCH_X86_64
#define PLATFORM "x86_64"

enum {
    HWCAP = 0x178bfbff, /* cpuid 1 edx of every x86-64-v3 processor; as in cpuid.py */
    HWCAP2 = 0,
    SIGNAL_STACK_BYTES = 12288, /* enough for the largest register file that a target may have */
};

/* Let `cpuid` fault where the processor can: a second net below the tracer's breakpoints. */
static inline void prepare_processor(void) { system_call(__NR_arch_prctl, ARCH_SET_CPUID, 0); }

/* Start at `entry` with the stack pointer `stack`, as the kernel does. */
static inline _Noreturn void enter_program(unsigned long stack, unsigned long entry)
{
    __asm__ volatile("mov %0, %%rsp\n"
                     "xor %%edx, %%edx\n"
                     "xor %%ebp, %%ebp\n"
                     "jmp *%1"
                     :
                     : "r"(stack), "r"(entry)
                     : "memory");
    __builtin_unreachable();
}

#endif
