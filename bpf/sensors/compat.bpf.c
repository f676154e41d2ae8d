/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls of 32-bit programs on x86-64, and of 64-bit ones that enter the kernel as such: other numbers, arguments in other
 * registers. Told are opens, connections and actions, whose arguments mean the same, and starts of programs as exit_execve
 * tells them; transfers of bytes are not, since their structures differ. With it in one unit: action.bpf.c.
 */
#include "lib/connected.h"
#include "lib/opened.h"
#include "lib/syscall-exit.h"

/* The number that a call has for 64-bit programs, by that which it has for 32-bit ones. Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, __u32);
	__type(value, __u32);
} compat_calls SEC(".maps");

SEC("exit")
int SYSCALL_EXIT(exit_compat, struct pt_regs *regs, long result)
{
#if defined(__TARGET_ARCH_x86)
	__u64 arguments[ARGUMENTS] = { (__u32)regs->bx, (__u32)regs->cx, (__u32)regs->dx,
				       (__u32)regs->si, (__u32)regs->di, (__u32)regs->bp };
	struct task_struct *task = current_task();
	__u32 compat = SYSCALL_NUMBER(regs), *number = bpf_map_lookup_elem(&compat_calls, &compat);
	struct user_open_how how = {};

	if (!number || !*number || is_agent())
		return 0;
	result = (int)result;
	switch (*number) {
	case SYS_open:
		return tell_open(result, AT_FDCWD, arguments[0], arguments[1]);
	case SYS_creat:
		return tell_open(result, AT_FDCWD, arguments[0], O_CREAT | O_TRUNC | 1);
	case SYS_openat:
		return tell_open(result, arguments[0], arguments[1], arguments[2]);
	case SYS_openat2:
		bpf_probe_read_user(&how, sizeof(how), (void *)arguments[2]);
		return tell_open(result, arguments[0], arguments[1], how.flags);
	case SYS_execve:
	case SYS_execveat:
		/* It ends as a call of the program that was started, whoever made it: for 32 bits the kernel has set that number. */
		bpf_tail_call(ctx, &syscall_exits, SYS_execve);
		return 0;
	case SYS_connect:
		return tell_connect(result, arguments[0], arguments[1], arguments[2], NOT_REMEMBERED);
	default:
		return tell_action(task, *number, arguments, result);
	}
#else
	return 0;
#endif
}
