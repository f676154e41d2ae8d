/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Opens, connects and accepts at the return of the kernel's own functions, where all ways to ask for them meet: the system calls,
 * those of 32-bit programs, io_uring, file handles. Paths and addresses are the kernel's copies. The other way to see them,
 * at the exit of system calls, is in file.bpf.c and network.bpf.c; with it in one unit, whose variables and
 * functions these are, too. Which of the two is attached: src/kernel/plan.ts.
 */
#include "lib/connected.h"
#include "lib/lent.h"
#include "lib/opened.h"
#include "lib/stamp.h"
#include "lib/trampoline.h"

/* Arguments and result, as plain numbers: of addresses with a type, the verifier would follow all uses. */
struct open_call {
	__u64 start; /* a directory's descriptor, or where the path begins */
	__u64 path;
	__u64 flags;
	__u64 file; /* or -errno */
};

struct asked_open {
	__u64 path; /* where the caller's memory has it */
	unsigned int flags;
	int is_by_call;
};

/*
 * What only the system call's own registers tell: whose work it is goes by where the path is (lib/lent.h), and what becomes of the
 * descriptor is no business of the function's. Neither is known where the open was asked for in another way.
 */
static __always_inline struct asked_open asked_by(struct task_struct *task, struct pt_regs *regs)
{
	struct asked_open asked = {};

	if ((task->flags & PF_IO_WORKER) || is_compat_call())
		return asked;
	asked.is_by_call = 1;
	switch (SYSCALL_NUMBER(regs)) {
#if defined(__TARGET_ARCH_x86)
	case SYS_open:
		asked.path = ARG0(regs);
		asked.flags = ARG1(regs);
		break;
	case SYS_creat:
		asked.path = ARG0(regs);
		break;
#endif
	case SYS_openat:
		asked.path = ARG1(regs);
		asked.flags = ARG2(regs);
		break;
	case SYS_openat2:
		asked.path = ARG1(regs);
		bpf_probe_read_user(&asked.flags, sizeof(asked.flags), (void *)ARG2(regs));
		break;
	default:
		asked.is_by_call = 0;
	}
	return asked;
}

/* `flags` come from the function's arguments: the many that nobody wants leave here. */
static __always_inline int is_open_wanted(unsigned int flags)
{
	/* Programs that are started are told by themselves. */
	if (flags & FMODE_EXEC)
		return 0;
	return (is_write(flags) || reads_of_everybody || is_serving(bpf_get_current_pid_tgid() >> 32)) && !is_agent();
}

static __always_inline void tell_returned(struct scratch *scratch, struct task_struct *task, const struct open_call *call,
				      const struct asked_open *asked, int directory, unsigned int flags, int is_ring)
{
	long result = is_error(call->file) ? (long)call->file : 0;
	struct open_event *event = begin_open(scratch, task, result, flags | (asked->flags & O_CLOEXEC));
	__u32 size, path_size;

	/* It gets its number afterwards. */
	event->descriptor = 0;
	event->header.flags = is_ring ? FLAG_RING : 0;
	stamp_by_path(&event->header, task, asked->path);
	size = append_opened(scratch->slot, call->path, result < 0 ? directory : NO_DIRECTORY, 1);
	path_size = event->path_size;
	BOUND(path_size, 0x1fff);
	if (!is_error(call->file))
		size = append_resolved(scratch, (struct file *)call->file, path_size);
	BOUND(size, 0xffff);
	submit_admitted(event, size, BUDGET_FILES);
}

static __always_inline int open_returned(void *ctx, unsigned int flags, int is_from_root)
{
	struct task_struct *task = current_task();
	struct pt_regs *regs = task_registers();
	struct asked_open asked = {};
	struct open_call call = {};
	struct scratch *scratch;
	int directory = AT_FDCWD, is_ring = 0;

	bpf_probe_read_kernel(&call, sizeof(call), ctx);
	/* No request of a ring has a handle. */
	if (!is_from_root) {
		directory = call.start;
		call.path = (__u64)READ((struct filename *)call.path, name);
		asked = asked_by(task, regs);
		/* What the kernel opens by itself, such as a core dump, it waits for. */
		is_ring = is_for_ring(task, regs, asked.is_by_call || !(flags & O_NONBLOCK));
	}
	/* A ring tries without waiting first, which its owner has not asked for, and once more on another thread. */
	if (is_ring && (flags & O_NONBLOCK)) {
		if ((int)call.file == -EAGAIN)
			return 0;
		flags &= ~O_NONBLOCK;
	}
	if (!is_admitted(cgroup_of(task), BUDGET_FILES))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	tell_returned(scratch, task, &call, &asked, directory, flags, is_ring);
	scratch_release(scratch);
	return 0;
}

/*
 * Where open, openat, openat2, creat, their 32-bit variants and io_uring meet, in another file of the kernel's sources than any of
 * them, so that it is never inlined.
 */
SEC("fexit/do_file_open")
int BPF_PROG(file_opened, int directory, struct filename *path, struct open_flags *how)
{
	unsigned int flags = how->open_flag;

	return is_open_wanted(flags) ? open_returned(ctx, flags, 0) : 0;
}

/* The same by its older name. */
SEC("fexit/do_filp_open")
int BPF_PROG(file_opened_before, int directory, struct filename *path, struct open_flags *how)
{
	unsigned int flags = how->open_flag;

	return is_open_wanted(flags) ? open_returned(ctx, flags, 0) : 0;
}

/* Opens that begin at a file or directory which the kernel has already: open_by_handle_at, whose path is ''. */
SEC("fexit/do_file_open_root")
int BPF_PROG(file_opened_from_root, const struct path *root, const char *path, struct open_flags *how)
{
	unsigned int flags = how->open_flag;

	return is_open_wanted(flags) ? open_returned(ctx, flags, 1) : 0;
}

struct connect_call {
	__u64 file;
	__u64 address;
	__u64 length;
	__u64 file_flags;
	__u64 result;
};

/* Where connect, its 32-bit variants and io_uring meet. */
SEC("fexit/__sys_connect_file")
int socket_connected(__u64 *ctx)
{
	struct task_struct *task = current_task();
	struct pt_regs *regs = task_registers();
	struct remote_name name = { .is_in_kernel = 1 };
	struct connect_call call = {};
	struct connect_event *event;
	struct scratch *scratch;
	struct sock *sk;
	int is_ring, is_call = SYSCALL_NUMBER(regs) == SYS_connect;

	if (is_agent())
		return 0;
	bpf_probe_read_kernel(&call, sizeof(call), ctx);
	name.address = call.address;
	name.length = call.length;
	sk = socket_of_file((struct file *)call.file);
	if (!sk || family_of(sk) == FAMILY_NONE)
		return 0;
	is_ring = is_for_ring(task, regs, is_call);
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = begin_connect(scratch, task, (int)call.result, sk);
	event->header.flags = is_ring ? FLAG_RING : 0;
	event->descriptor = is_call && !is_ring && !is_compat_call() ? (__u32)ARG0(regs) + 1 : 0;
	if (fill_connect(event, task, sk, &name, REMEMBERED))
		submit_within_budget(event, sizeof(*event), BUDGET_NETWORK);
	scratch_release(scratch);
	return 0;
}

struct accept_call {
	__u64 arguments[5];
	__u64 file; /* or -errno */
};

/*
 * Where accept, accept4, their 32-bit variants and io_uring meet. Those of 64-bit programs are left to exit_accept: who was waiting in
 * one when the agent came has begun without a trampoline, and returns past it.
 */
SEC("fexit/do_accept")
int socket_accepted(__u64 *ctx)
{
	struct task_struct *task = current_task();
	struct pt_regs *regs = task_registers();
	int number = SYSCALL_NUMBER(regs), is_call = number == SYS_accept || number == SYS_accept4;
	int is_ring = is_for_ring(task, regs, is_call);
	struct accept_call call = {};
	struct sock *sk;
	__u8 family;

	if (is_call && !is_ring && !is_compat_call())
		return 0;
	bpf_probe_read_kernel(&call, sizeof(call), ctx);
	if (is_error(call.file))
		return 0;
	sk = socket_of_file((struct file *)call.file);
	family = sk ? family_of(sk) : FAMILY_NONE;
	if (family == FAMILY_NONE || is_agent_peer(sk, family))
		return 0;
	track_connection(sk, family, is_ring ? FLAG_RING : 0, 0);
	return 0;
}
