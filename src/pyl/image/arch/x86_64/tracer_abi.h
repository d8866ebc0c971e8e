/* The system call by which a program asks the capture's tracer. */
#ifndef PYL_TRACER_ABI_H
#define PYL_TRACER_ABI_H

/* Make a system call behind which a restored process goes on: only the registers that a callee keeps, and rax, hold
 * then what they held before. */
static inline long restorable_system_call(long number, long first, long second, long third)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result), "+D"(first), "+S"(second), "+d"(third)
                     : "0"(number)
                     : "rcx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    return result;
}

#endif
