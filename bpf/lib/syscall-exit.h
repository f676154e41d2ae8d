/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs at the end of a system call: the dispatcher, and what it jumps to. They hang on the raw tracepoint, or on the perf
 * event of the same name where the raw one is run with preemption on (src/kernel/exit-hooks.ts says why): the same programs,
 * loaded as another type, which get their arguments in another way.
 */
#ifndef THROUGHLINE_SYSCALL_EXIT_H
#define THROUGHLINE_SYSCALL_EXIT_H

#include "lib/state.h"

/* Set before the programs are loaded, so that the verifier drops the other way and its cost. */
const volatile unsigned int exits_by_event = 0;

/* What the current task has asked the kernel for; of a thread of an io_uring, what its maker had. */
static __always_inline struct pt_regs *task_registers(void)
{
	return DISTRUST((struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf()));
}

/*
 * Arguments of the raw tracepoint: registers, result. The event's record: 8 bytes that are the kernel's own, number, result. The
 * compiler would make one load of two, from a place that depends on the way, which the verifier refuses.
 */
#define EVENT_WORD(ctx, offset)                                                             \
	({                                                                                  \
		unsigned long long word_;                                                   \
		asm volatile("%0 = *(u64 *)(%1 + " #offset ")" : "=r"(word_) : "r"(ctx)); \
		word_;                                                                      \
	})

static __always_inline struct pt_regs *exit_registers(unsigned long long *ctx)
{
	return exits_by_event ? task_registers() : (struct pt_regs *)ctx[0];
}

static __always_inline int exit_number(unsigned long long *ctx)
{
	return exits_by_event ? (int)EVENT_WORD(ctx, 8) : SYSCALL_NUMBER((struct pt_regs *)ctx[0]);
}

static __always_inline long exit_result(unsigned long long *ctx)
{
	return exits_by_event ? EVENT_WORD(ctx, 16) : ctx[1];
}

/*
 * Like BPF_PROG, for either, with `ctx` to jump on with: int SYSCALL_EXIT(name, struct pt_regs *regs, long result) { ... }
 * Its section is "exit", from which libbpf takes no type: user space sets it.
 */
#define SYSCALL_EXIT(name, arguments...)                                         \
	name(unsigned long long *ctx);                                           \
	static __always_inline int name##_body(unsigned long long *ctx, arguments); \
	int name(unsigned long long *ctx)                                        \
	{                                                                        \
		return name##_body(ctx, exit_registers(ctx), exit_result(ctx));  \
	}                                                                        \
	static __always_inline int name##_body(unsigned long long *ctx, arguments)

#endif
