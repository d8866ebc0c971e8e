/* Generated from pyl/image/arch/x86_64 by `python -m pyl.image.headers`; do not edit. */
/* The registers of x86_64 that a restore brings back. */
#ifndef PYL_PROCESSOR_STATE_H
#define PYL_PROCESSOR_STATE_H

#include <stddef.h>
#include <stdint.h>

/* Registers that a function keeps for its caller: what the program has when the system call of tracer_abi.h
 * returns. */
struct processor_state {
    uint64_t rip;
    uint64_t rsp;
    uint64_t rbx;
    uint64_t rbp;
    uint64_t r12;
    uint64_t r13;
    uint64_t r14;
    uint64_t r15;
    uint64_t fs_base;
    uint64_t gs_base;
    uint32_t x87_control;
    uint32_t mxcsr;
};
_Static_assert(sizeof(struct processor_state) == 88, "as Python packs it");

#endif
