/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The entry of the syscall plan: one program on sys_exit, which leaves after one bitmap test when nobody wants the
 * system call, and otherwise jumps to the program that a sensor registered for that number. sys_exit alone is
 * enough, at half the cost of both: the registers still hold the arguments, the buffers are filled, and the result
 * is known.
 */
#include "lib/syscall-exit.h"

/*
 * To the program of a system call. For those that busy servers make most, the place in the table is a constant: the kernel then
 * writes a plain jump into the code (kernel commit 428d5df1fa4f), where any other is looked up and jumped to by way of a
 * retpoline.
 */
static __always_inline void jump_to(void *ctx, int number)
{
	switch (number) {
	case SYS_read:
		bpf_tail_call_static(ctx, &syscall_exits, SYS_read);
		break;
	case SYS_write:
		bpf_tail_call_static(ctx, &syscall_exits, SYS_write);
		break;
	case SYS_writev:
		bpf_tail_call_static(ctx, &syscall_exits, SYS_writev);
		break;
	case SYS_recvfrom:
		bpf_tail_call_static(ctx, &syscall_exits, SYS_recvfrom);
		break;
	case SYS_sendto:
		bpf_tail_call_static(ctx, &syscall_exits, SYS_sendto);
		break;
	case SYS_epoll_pwait:
		bpf_tail_call_static(ctx, &syscall_exits, SYS_epoll_pwait);
		break;
	default:
		bpf_tail_call(ctx, &syscall_exits, number);
	}
}

SEC("exit")
int dispatch_sys_exit(unsigned long long *ctx)
{
	int number = exit_number(ctx);
	__u64 bit = 1ULL << (number & 63), wanted, compat;

	if ((unsigned int)number >= MAX_SYSCALLS)
		return 0;
	wanted = wanted_syscalls[(number >> 6) & 7];
	compat = wanted_compat[(number >> 6) & 7];
	/* One test for the numbers of both kinds of programs: the many that nobody wants leave here. */
	if (!((wanted | compat) & bit))
		return 0;
	if (is_compat_call()) {
		if (compat & bit)
			bpf_tail_call(ctx, &syscall_exits, COMPAT_SLOT);
		count(COUNTER_COMPAT_SKIPPED);
		return 0;
	}
	if (!(wanted & bit))
		return 0;
	jump_to(ctx, number);
	return 0;
}

/* Puts every type of the binary contract into the object's type information, where the generator finds it. */
struct abi_types {
	enum event_kind event_kind;
	enum event_flag event_flag;
	enum exec_flag exec_flag;
	enum stamp_origin stamp_origin;
	enum work_phase work_phase;
	enum stdio_type stdio_type;
	enum address_family address_family;
	enum direction direction;
	enum counter counter;
	enum argument_kind argument_kind;
	enum action_scope action_scope;
	enum argument_test argument_test;
	enum connection_mode connection_mode;
	enum budget_class budget_class;
	struct event_header event_header;
	struct exec_event exec_event;
	struct exec_details exec_details;
	struct fork_event fork_event;
	struct exit_event exit_event;
	struct accept_event accept_event;
	struct connect_event connect_event;
	struct close_event close_event;
	struct payload_event payload_event;
	struct open_event open_event;
	struct work_event work_event;
	struct action_plan action_plan;
	struct action_event action_event;
	struct cgroup_event cgroup_event;
	struct cgroup_budget cgroup_budget;
	struct datagram_event datagram_event;
	struct tcp_event tcp_event;
};
const struct abi_types *abi_types;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
