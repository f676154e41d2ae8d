/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For programs at the return of the kernel's own functions (fexit): sensors/trampoline.bpf.c. */
#ifndef THROUGHLINE_TRAMPOLINE_H
#define THROUGHLINE_TRAMPOLINE_H

#include "lib/syscall-exit.h"

/* Set by user space before anything is attached: these see all ways, so that others must not tell the same. */
unsigned int opens_by_function = 0;
unsigned int connects_by_function = 0;

/*
 * The scratch buffer for a program in the middle of which another task may get the processor: of the two that want it one has
 * it, and what the other one would have told is counted.
 */
static __always_inline struct scratch *scratch_claim(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &cpu);

	if (!scratch || __sync_val_compare_and_swap(&scratch->busy, 0, 1)) {
		count(COUNTER_SCRATCH_BUSY);
		return NULL;
	}
	return scratch;
}

/*
 * Whether a function is called for an io_uring: by a thread of it, in the call that hands requests to it, or, of a chain of them,
 * when the one before is complete, in the middle of whatever the thread is doing then: another call than those that ask for it.
 */
static __always_inline int is_for_ring(struct task_struct *task, struct pt_regs *regs, int is_asked_by_call)
{
	if ((task->flags & PF_IO_WORKER) || SYSCALL_NUMBER(regs) == SYS_io_uring_enter)
		return 1;
	return !is_asked_by_call && !is_compat_call();
}

/* Of a pointer that a function has returned. */
static __always_inline int is_error(__u64 address)
{
	return address >= (__u64)-MAX_ERRNO;
}

#endif
