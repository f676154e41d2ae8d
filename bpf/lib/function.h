/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Probes in functions of programs and libraries: how often they fire, and the arguments as the architecture has them. */
#ifndef THROUGHLINE_FUNCTION_H
#define THROUGHLINE_FUNCTION_H

#include "lib/state.h"

/* Files and libraries whose functions may be probed at once; user space hands out the slots. */
#define PROBE_SLOTS 64

/* Probe hits by slot, a row for each processor. Memory-mapped by user space, which takes off what fires too often. */
unsigned int probe_hits[COUNTER_CPUS][PROBE_SLOTS] = {};

static __always_inline void count_hit(void *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id() & (COUNTER_CPUS - 1);

	probe_hits[cpu][bpf_get_attach_cookie(ctx) & (PROBE_SLOTS - 1)]++;
}

#if defined(__TARGET_ARCH_x86)
#define FUNCTION_ARG0(ctx) ((ctx)->di)
#define FUNCTION_ARG1(ctx) ((ctx)->si)
#define FUNCTION_ARG2(ctx) ((ctx)->dx)
#define FUNCTION_ARG3(ctx) ((ctx)->cx)
#define FUNCTION_RESULT(ctx) ((int)(ctx)->ax)
#define FUNCTION_POINTER_RESULT(ctx) ((__u64)(ctx)->ax)
/* What the return itself takes off the stack. */
#define RETURN_ADDRESS_BYTES 8
/* Go's own convention (1.17 and later); the context is that of a closure: its code, then what it has captured. */
#define GO_ARG0(ctx) ((ctx)->ax)
#define GO_ARG1(ctx) ((ctx)->bx)
#define GO_ARG2(ctx) ((ctx)->cx)
#define GO_CONTEXT(ctx) ((ctx)->dx)
#else
#define FUNCTION_ARG0(ctx) ((ctx)->regs[0])
#define FUNCTION_ARG1(ctx) ((ctx)->regs[1])
#define FUNCTION_ARG2(ctx) ((ctx)->regs[2])
#define FUNCTION_ARG3(ctx) ((ctx)->regs[3])
#define FUNCTION_RESULT(ctx) ((int)(ctx)->regs[0])
#define FUNCTION_POINTER_RESULT(ctx) ((__u64)(ctx)->regs[0])
#define RETURN_ADDRESS_BYTES 0
#define GO_ARG0(ctx) ((ctx)->regs[0])
#define GO_ARG1(ctx) ((ctx)->regs[1])
#define GO_ARG2(ctx) ((ctx)->regs[2])
#define GO_CONTEXT(ctx) ((ctx)->regs[26])
#endif

#endif
