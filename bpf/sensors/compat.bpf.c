/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls of 32-bit programs on x86-64, and of 64-bit ones that enter the kernel as such: other numbers, arguments in other
 * registers. Told are opens, connections and actions, whose arguments mean the same; transfers of bytes are not, since
 * their structures differ. With it in one unit: action.bpf.c.
 */
#include "lib/opened.h"
#include "lib/remote.h"
#include "lib/stamp.h"

/* The number that a call has for 64-bit programs, by that which it has for 32-bit ones. Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, __u32);
	__type(value, __u32);
} compat_calls SEC(".maps");

#if defined(__TARGET_ARCH_x86)
static __always_inline int compat_open(struct task_struct *task, long result, int directory, __u64 path, __u64 flags)
{
	struct open_event *event;
	struct scratch *scratch;
	struct file *file;
	__u32 size, path_size;

	if (!is_write(flags) && !is_serving(task->tgid))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = (struct open_event *)scratch->data;
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_OPEN, task);
	event->result = result < 0 ? result : 0;
	event->open_flags = flags;
	size = append_opened(path, directory, 0);
	file = result < 0 ? NULL : file_of(task, result);
	path_size = event->path_size;
	BOUND(path_size, 0x1fff);
	if (file)
		size = append_resolved(scratch, file, path_size);
	else
		event->header.flags |= FLAG_USER_MEMORY;
	BOUND(size, 0xffff);
	submit_within_budget(event, size, FREQUENT);
	scratch_release(scratch);
	return 0;
}

static __always_inline int compat_connect(struct task_struct *task, long result, int descriptor, __u64 address, __u32 length)
{
	const struct remote_name name = { .address = address, .length = length };
	struct sock *sk = socket_of(task, descriptor);
	struct connect_event *event;
	struct scratch *scratch;
	__u8 local[16];

	if (!sk)
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = (struct connect_event *)scratch->data;
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_CONNECT, task);
	event->result = result;
	event->socket_type = READ(sk, sk_type);
	event->family = family_of(sk);
	if (event->family == FAMILY_UNIX || (result != 0 && result != -EINPROGRESS)) {
		event->header.flags |= FLAG_USER_MEMORY;
		event->family =
			read_remote(&name, event->remote_address, &event->remote_port, event->path, &event->path_size);
	} else if (event->family != FAMILY_NONE) {
		event->remote_port = bpf_ntohs(READ(sk, __sk_common.skc_dport));
		read_addresses(sk, event->family, local, event->remote_address);
	}
	if (event->family != FAMILY_NONE)
		submit_within_budget(event, sizeof(*event), FREQUENT);
	scratch_release(scratch);
	return 0;
}
#endif

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_compat, struct pt_regs *regs, long result)
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
		return compat_open(task, result, AT_FDCWD, arguments[0], arguments[1]);
	case SYS_creat:
		return compat_open(task, result, AT_FDCWD, arguments[0], O_CREAT | O_TRUNC | 1);
	case SYS_openat:
		return compat_open(task, result, arguments[0], arguments[1], arguments[2]);
	case SYS_openat2:
		bpf_probe_read_user(&how, sizeof(how), (void *)arguments[2]);
		return compat_open(task, result, arguments[0], arguments[1], how.flags);
	case SYS_connect:
		return compat_connect(task, result, arguments[0], arguments[1], arguments[2]);
	default:
		return tell_action(task, *number, arguments, result);
	}
#else
	return 0;
#endif
}
