/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For programs at the return of the kernel's own functions (fexit): sensors/trampoline.bpf.c. */
#ifndef THROUGHLINE_TRAMPOLINE_H
#define THROUGHLINE_TRAMPOLINE_H

#include "lib/syscall-exit.h"

/* Set by user space before anything is attached: these see all ways, so that others must not tell the same. */
unsigned int opens_by_function = 0;
unsigned int connects_by_function = 0;

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
