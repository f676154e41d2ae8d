/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls that are told with their arguments, whatever they do: files removed, privileges changed, file systems
 * mounted, processes traced. One program serves them all; what a call means, which of its arguments are paths, and whose calls are
 * wanted is data of user space (src/model/actions.ts). A call that needs more than its arguments has a sensor of its own.
 */
#include "lib/lent.h"
#include "lib/path.h"
#include "lib/socket.h"
#include "lib/stamp.h"
#include "lib/syscall-exit.h"

#define ARGUMENTS 6
#define TEXT_LIMIT 4096
#define BYTES_LIMIT 128
/* Where a section begins at most: what follows still fits the scratch buffer. */
#define START_MASK 0x7fff

/* By number of the system call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, __u32);
	__type(value, struct action_plan);
} action_plans SEC(".maps");

/* Such a socket gets or makes packets whole: of any protocol, or of IP. Those of netlink are raw by name only. */
static __always_inline int is_raw_socket(__u64 family, __u64 type)
{
	type &= SOCK_TYPE_MASK;
	return family == AF_PACKET ||
	       ((family == AF_INET || family == AF_INET6) && (type == SOCK_RAW || type == SOCK_PACKET));
}

static __always_inline int is_told(const struct action_plan *plan, const __u64 *arguments)
{
	__u64 argument = arguments[plan->test_argument < ARGUMENTS ? plan->test_argument : 0];

	switch (plan->test) {
	case TEST_ANY_BIT:
		return (argument & plan->test_value) != 0;
	case TEST_AT_MOST:
		return argument <= plan->test_value;
	case TEST_OTHER:
		return argument != plan->test_value;
	case TEST_RAW_SOCKET:
		return is_raw_socket(arguments[0], arguments[1]);
	default:
		return 1;
	}
}

static __always_inline int is_process_of_agent(struct pid *pid)
{
	return (__u32)READ(pid, numbers[0].nr) == agent_pid;
}

/* A descriptor of a process: its file has that in its inode since Linux 6.9, and itself before that. */
static __always_inline int is_agent_behind(struct task_struct *task, __u32 descriptor)
{
	struct file *file = file_of(task, descriptor);

	return file && (is_process_of_agent(READ(file, private_data)) || is_process_of_agent(READ(file, f_inode, i_private)));
}

/*
 * What is done to the agent itself is told whoever does it, by the number of its process or of any of its threads, or by a descriptor.
 * A process in a namespace of process ids cannot name it.
 */
static __always_inline int is_aimed_at_agent(const struct action_plan *plan, const __u64 *arguments)
{
	__u32 index = (plan->target & TARGET_ARGUMENT) - 1, id;

	if (index >= ARGUMENTS)
		return 0;
	id = arguments[index];
	if (plan->target & TARGET_IS_DESCRIPTOR)
		return is_agent_behind(current_task(), id);
	return id == agent_pid || bpf_map_lookup_elem(&agent_threads, &id) != NULL;
}

/* By which a thread of a pool is told whose work it does: see lib/lent.h. 0 where the call has none. */
static __always_inline __u64 path_of(const struct action_plan *plan, const __u64 *arguments)
{
	__u32 index;

	for (index = 0; index < ARGUMENTS; index++)
		if (plan->kinds[index] == ARGUMENT_PATH || plan->kinds[index] == ARGUMENT_PATH_AT)
			return arguments[index];
	return 0;
}

/* The path behind a descriptor: of a file that was passed, or of the directory that a relative path begins in. */
static __always_inline __u32 append_base(struct scratch *scratch, struct task_struct *task, __u32 start, int descriptor, __u8 *flags, __u64 *inode)
{
	struct file *file;

	if (descriptor == AT_FDCWD)
		return append_path(scratch, start, &DISTRUST(task)->fs->pwd, flags);
	file = file_of(task, descriptor);
	*inode = file ? READ(file, f_inode, i_ino) : 0;
	return file ? append_path(scratch, start, &file->f_path, flags) : 0;
}

/* Beside the kind of an argument: its text is not in user memory, but the kernel's own copy (struct filename). */
#define ARGUMENT_IN_KERNEL 0x100

/*
 * Appends what is told of an argument beside its number, at the cursor of the scratch buffer in `slot`. `beside` is the argument before or
 * behind it, as its kind wants. A function of its own, which the verifier goes through once.
 */
__noinline int append_argument(__u32 slot, __u64 value, __u64 beside, __u32 kind, __u32 index)
{
	__u32 position, limit = TEXT_LIMIT;
	struct scratch *scratch = scratch_in(slot);
	struct task_struct *task = current_task();
	struct action_event *event;
	__u32 is_in_kernel;
	long size = 0;

	if (!scratch || index >= ARGUMENTS)
		return 0;
	event = (struct action_event *)scratch->data;
	position = scratch->cursor;
	if (position > START_MASK) {
		event->header.flags |= FLAG_TRUNCATED;
		return 0;
	}
	BOUND(position, START_MASK);
	is_in_kernel = kind & ARGUMENT_IN_KERNEL;
	kind &= ~ARGUMENT_IN_KERNEL;
	switch (kind) {
	case ARGUMENT_TEXT:
	case ARGUMENT_PATH:
	case ARGUMENT_PATH_AT:
		if (is_in_kernel)
			size = bpf_probe_read_kernel_str(&scratch->data[position], TEXT_LIMIT,
							 READ((struct filename *)value, name));
		else
			size = bpf_probe_read_user_str(&scratch->data[position], TEXT_LIMIT, (void *)value);
		event->header.flags |= is_in_kernel ? 0 : FLAG_USER_MEMORY;
		break;
	case ARGUMENT_BYTES:
		limit = beside < BYTES_LIMIT ? beside : BYTES_LIMIT;
		BOUND(limit, 0xff);
		size = bpf_probe_read_user(&scratch->data[position], limit, (void *)value) ? -1 : (long)limit;
		event->header.flags |= FLAG_USER_MEMORY;
		break;
	case ARGUMENT_WORD:
		if (bpf_probe_read_user(&event->arguments[index], sizeof(__u64), (void *)value))
			event->header.flags |= FLAG_UNREADABLE;
		return 0;
	}
	if (size < 0) {
		event->header.flags |= FLAG_UNREADABLE;
		size = 0;
	}
	BOUND(size, 0x1fff);
	event->text_size[index] = size;
	if (kind == ARGUMENT_FILE || (size > 0 && scratch->data[position] != '/' &&
				      (kind == ARGUMENT_PATH || kind == ARGUMENT_PATH_AT))) {
		int descriptor = kind == ARGUMENT_FILE ? (int)value : kind == ARGUMENT_PATH_AT ? (int)beside : AT_FDCWD;
		__u64 inode = 0;
		__u8 flags = 0;

		position += size;
		size = append_base(scratch, task, position, descriptor, &flags, &inode);
		/* Namespaces are files without a name: this tells which one it is. */
		if (kind == ARGUMENT_FILE)
			event->arguments[index] = inode;
		event->base_size[index] = size;
		event->header.flags |= flags;
	}
	scratch->cursor = position + size;
	return 0;
}

static __always_inline int tell_action(struct task_struct *task, __u32 number, const __u64 *arguments, long result)
{
	__u32 index, size;
	struct action_plan *plan = bpf_map_lookup_elem(&action_plans, &number);
	struct action_event *event;
	struct scratch *scratch;
	int for_agent;

	if (!plan || !plan->action || !is_told(plan, arguments) || is_agent())
		return 0;
	for_agent = is_aimed_at_agent(plan, arguments);
	if (!for_agent && (plan->scope == SCOPE_NOBODY || (plan->scope == SCOPE_SERVING && !is_serving(task->tgid))))
		return 0;
	/* What is done to the agent is nothing to be hidden behind a flood. */
	if (!for_agent && !is_admitted(cgroup_of(task), BUDGET_ACTIONS))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = (struct action_event *)scratch->data;
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_ACTION, task);
	if (for_agent)
		event->header.flags |= FLAG_AGENT;
	stamp_by_path(&event->header, task, path_of(plan, arguments));
	event->result = result;
	event->action = plan->action;
	event->call = plan->call;
	__builtin_memcpy(event->arguments, arguments, sizeof(event->arguments));
	scratch->cursor = sizeof(*event);
	for (index = 0; index < ARGUMENTS; index++) {
		__u32 kind = plan->kinds[index];
		__u32 beside = kind == ARGUMENT_BYTES ? index + 1 : index - 1;

		if (kind != ARGUMENT_NUMBER)
			append_argument(scratch->slot, arguments[index], beside < ARGUMENTS ? arguments[beside] : 0, kind, index);
	}
	size = scratch->cursor;
	BOUND(size, 0xffff);
	submit_admitted(event, size, BUDGET_ACTIONS);
	scratch_release(scratch);
	return 0;
}

SEC("exit")
int SYSCALL_EXIT(exit_action, struct pt_regs *regs, long result)
{
	__u64 arguments[ARGUMENTS] = { ARG0(regs), ARG1(regs), ARG2(regs), ARG3(regs), ARG4(regs), ARG5(regs) };

	return tell_action(current_task(), SYSCALL_NUMBER(regs), arguments, result);
}
