/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs started, processes made and ended. Stamps and the serving mark are inherited here. */
#include "lib/exec-details.h"
#include "lib/path.h"
#include "lib/socket.h"
#include "lib/stamp.h"
#include "lib/syscall-exit.h"

#define MAX_GROUPS 32
#define ARGV_LIMIT 32767
#define INTERPRETER_LIMIT 256
/* Of the environment, and of one behind so many arguments that it would not fit. */
#define ENVIRONMENT_LIMIT 32767
#define ENVIRONMENT_LIMIT_BEHIND 2047

/* Somebody asks for variables of the environment. Which, user space knows, and keeps no others. */
__u32 wants_environment;

static __always_inline __u8 stdio_type_of(struct task_struct *task, __u32 descriptor)
{
	struct file *file = file_of(task, descriptor);

	if (!file)
		return STDIO_CLOSED;
	switch (READ(file, f_inode, i_mode) & S_IFMT) {
	case S_IFREG:
		return STDIO_FILE;
	case S_IFDIR:
		return STDIO_DIRECTORY;
	case S_IFIFO:
		return STDIO_PIPE;
	case S_IFSOCK:
		return STDIO_SOCKET;
	case S_IFCHR: {
		__u32 major = READ(file, f_inode, i_rdev) >> 20;

		/* Documentation/admin-guide/devices.txt: 4 and 5 are consoles and ttys, 136 to 143 pseudo-terminals. */
		return major == 4 || major == 5 || (major >= 136 && major <= 143) ? STDIO_TERMINAL : STDIO_DEVICE;
	}
	default:
		return STDIO_OTHER;
	}
}

static __always_inline unsigned long environment_size(struct task_struct *task)
{
	return task->mm->env_end - task->mm->env_start;
}

/* How much of the environment fits behind details that stand at `offset`. */
static __always_inline __u32 environment_limit(__u32 offset)
{
	return offset <= SECTION_MASK - 1024 ? ENVIRONMENT_LIMIT : ENVIRONMENT_LIMIT_BEHIND;
}

/* Appends the environment at `offset`, and returns where it ends. As argv, it is in memory that nobody else has yet. */
static __always_inline __u32 append_environment(struct scratch *scratch, __u32 offset, __u32 limit,
						struct task_struct *task, __u8 *flags)
{
	void *start = (void *)task->mm->env_start;
	unsigned long size = environment_size(task);
	long failed;

	if (size > limit)
		size = limit;
	if (limit == ENVIRONMENT_LIMIT) {
		BOUND(offset, SECTION_MASK);
		BOUND(size, ENVIRONMENT_LIMIT);
		failed = bpf_probe_read_user(&scratch->data[offset], size, start);
	} else {
		BOUND(offset, 0x1ffff);
		if (offset > SCRATCH_SIZE + 2048)
			return offset;
		BOUND(size, ENVIRONMENT_LIMIT_BEHIND);
		failed = bpf_probe_read_user(&scratch->data[offset], size, start);
	}
	if (failed)
		*flags |= FLAG_UNREADABLE;
	return failed ? offset : offset + size;
}

/* Appends the details, and the interpreter unless it is NULL, at `offset`, and returns where they end. */
static __always_inline __u32 append_details(struct scratch *scratch, __u32 offset, struct task_struct *task,
					    struct file *file, const char *interpreter)
{
	struct exec_details *details = &scratch->details;
	__u32 behind = offset + sizeof(*details);
	long size = 0;

	fill_details(details, task, file);
	if (wants_environment) {
		details->flags |= EXEC_ENVIRONMENT;
		if (environment_size(task) > environment_limit(offset))
			details->flags |= EXEC_ENVIRONMENT_CUT;
	}
	/* What the kernel was asked to start is not what it started: a script, or a format that has an interpreter. */
	if (interpreter) {
		BOUND(behind, 0x1ffff);
		if (behind > SCRATCH_SIZE + 2048)
			return offset;
		size = bpf_probe_read_kernel_str(&scratch->data[behind], INTERPRETER_LIMIT, interpreter);
		if (size < 0)
			size = 0;
		BOUND(size, 0x1ff);
		details->interpreter_size = size;
	}
	BOUND(offset, 0x1ffff);
	if (offset > SCRATCH_SIZE + 2048)
		return offset;
	bpf_probe_read_kernel(&scratch->data[offset], sizeof(*details), details);
	return offset + sizeof(*details) + size;
}

/*
 * Tells the program that the current task has started, from its executable, the path as it was passed, and the path of its interpreter,
 * or 0. argv is read from the new program's memory, which nobody else has yet: what a caller's other thread writes into the
 * arguments after the call was made cannot reach it. Returns 0, or another number where there was no buffer. A function of its
 * own, since two programs call it.
 */
__noinline int tell_exec(__u64 executable, __u64 path, __u64 interpreter, int is_path_in_kernel)
{
	struct task_struct *task = current_task();
	struct file *file = (struct file *)executable;
	__u32 offset = sizeof(struct exec_event), group_count, group_size, limit, pid = task->tgid;
	struct scratch *scratch;
	struct exec_event *event;
	struct group_info *groups;
	struct path *working_directory;
	struct unit_state *thread = state_of(task, pid);
	unsigned long argv_start, argv_size;
	__u8 *data, flags = 0;
	long size;

	/* The new program keeps its units in another way, or has none. */
	bpf_map_delete_elem(&runtimes, &pid);
	if (thread)
		forget_loop(thread);
	scratch = scratch_acquire();
	if (!scratch)
		return 1;
	data = scratch->data;
	event = (struct exec_event *)data;
	fill_header(&event->header, EVENT_EXEC, task);
	event->parent_pid = task->real_parent->tgid;
	event->uid = task->cred->uid.val;
	event->gid = task->cred->gid.val;
	event->effective_uid = task->cred->euid.val;
	event->effective_gid = task->cred->egid.val;
	event->inode = READ(file, f_inode, i_ino);
	event->device = READ(file, f_inode, i_sb, s_dev);
	event->stdio[0] = stdio_type_of(task, 0);
	event->stdio[1] = stdio_type_of(task, 1);
	event->stdio[2] = stdio_type_of(task, 2);
	event->stdio[3] = 0;
	bpf_probe_read_kernel(event->comm, sizeof(event->comm), task->comm);

	size = is_path_in_kernel ? bpf_probe_read_kernel_str(&data[offset], 4096, (void *)path) :
				   bpf_probe_read_user_str(&data[offset], 4096, (void *)path);
	if (size < 0)
		size = 0;
	BOUND(size, 0x1fff);
	event->path_size = size;
	offset += size;

	event->executable_size = append_path(scratch, offset, &file->f_path, &flags);
	offset += event->executable_size;
	BOUND(offset, SECTION_MASK);

	working_directory = &task->fs->pwd;
	event->working_directory_size = append_path(scratch, offset, working_directory, &flags);
	offset += event->working_directory_size;

	argv_start = task->mm->arg_start;
	argv_size = task->mm->arg_end - argv_start;
	if (argv_size > ARGV_LIMIT) {
		argv_size = ARGV_LIMIT;
		flags |= FLAG_TRUNCATED;
	}
	BOUND(argv_size, ARGV_LIMIT);
	BOUND(offset, SECTION_MASK);
	if (bpf_probe_read_user(&data[offset], argv_size, (void *)argv_start)) {
		argv_size = 0;
		flags |= FLAG_UNREADABLE;
	}
	event->argv_size = argv_size;
	offset += argv_size;

	groups = task->cred->group_info;
	group_count = READ(groups, ngroups);
	if (group_count > MAX_GROUPS) {
		group_count = MAX_GROUPS;
		flags |= FLAG_TRUNCATED;
	}
	BOUND(group_count, 0x3f);
	BOUND(offset, 0xffff);
	group_size = group_count * 4;
	bpf_probe_read_kernel(&data[offset], group_size, groups->gid);
	event->group_count = group_count;
	offset += group_size;

	limit = environment_limit(offset);
	offset = append_details(scratch, offset, task, file, (const char *)interpreter);
	if (wants_environment)
		offset = append_environment(scratch, offset, limit, task, &flags);

	event->header.flags = flags;
	BOUND(offset, 0x1ffff);
	if (offset <= sizeof(scratch->data))
		submit_within_budget(data, offset, BUDGET_PROGRAMS);
	scratch_release(scratch);
	return 0;
}

/*
 * Where tracepoints may be interrupted (lib/syscall-exit.h), a start may be left out: it is told at the end of the system call then,
 * before the new program runs. By process, which of its starts was told last (task->self_exec_id); 0 where there was no buffer.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} told_execs SEC(".maps");

/* Starts that the kernel had left out, and that were told all the same. */
unsigned int execs_told_late = 0;

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *trusted_task, int old_pid, struct linux_binprm *trusted_binary)
{
	struct linux_binprm *bprm = DISTRUST(trusted_binary);
	__u64 path = (__u64)READ(bprm, filename), interpreter = (__u64)READ(bprm, interp), number = 0;
	int failed = tell_exec((__u64)READ(bprm, file), path, interpreter == path ? 0 : interpreter, 1);

	if (exits_by_event) {
		struct task_struct *task = current_task();
		__u32 pid = task->tgid;

		if (!failed)
			number = task->self_exec_id;
		bpf_map_update_elem(&told_execs, &pid, &number, BPF_ANY);
	}
	return 0;
}

/* The path that was passed stands behind the environment, in memory that no program has had yet; an interpreter is not known. */
SEC("exit")
int SYSCALL_EXIT(exit_execve, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	__u32 pid = task->tgid;
	__u64 *told;

	if (!exits_by_event || result)
		return 0;
	told = bpf_map_lookup_elem(&told_execs, &pid);
	if (told && *told == task->self_exec_id) {
		bpf_map_delete_elem(&told_execs, &pid);
		return 0;
	}
	if (!tell_exec((__u64)READ(task, mm, exe_file), READ(task, mm, env_end), 0, 0) && (!told || *told))
		__sync_fetch_and_add(&execs_told_late, 1);
	return 0;
}

/* A forked interpreter has the memory of its parent. A Go program that forks starts another one. */
static __always_inline void inherit_runtime(struct task_struct *parent, struct task_struct *child)
{
	__u32 pid = parent->tgid, child_pid = child->tgid;
	struct runtime *runtime = may_have_runtime(pid) ? bpf_map_lookup_elem(&runtimes, &pid) : NULL;
	struct runtime inherited;

	if (!runtime || runtime->kind != RUNTIME_PYTHON)
		return;
	inherited = *runtime;
	inherited.start_ticks = child->start_boottime / NANOSECONDS_PER_TICK;
	bpf_map_update_elem(&runtimes, &child_pid, &inherited, BPF_ANY);
	maybe_runtimes[MARK_OF(child_pid)] = 1;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *trusted_parent, struct task_struct *trusted_child)
{
	struct task_struct *parent = DISTRUST(trusted_parent), *child = DISTRUST(trusted_child);
	int is_thread = parent->tgid == child->tgid;
	struct unit_state *thread = running_unit(parent);
	struct fork_event event = {};

	if (thread) {
		struct unit_state inherited = *thread;

		if (inherited.connection)
			inherited.origin = is_thread ? ORIGIN_THREAD : ORIGIN_PROCESS;
		else
			inherited.origin = ORIGIN_NONE;
		inherited.ready_count = 0;
		forget_loop(&inherited);
		inherited.marked_at = 0;
		inherited.identity = 0;
		inherited.maker = 0;
		put_state(child, child->pid, &inherited);
	}
	if (is_thread) {
		if ((__u32)parent->tgid == agent_pid) {
			__u32 id = child->pid;
			__u8 one = 1;

			bpf_map_update_elem(&agent_threads, &id, &one, BPF_ANY);
		}
		return 0;
	}
	if (parent->tgid != 0) {
		__u32 pid = parent->tgid;
		__u64 *connection = bpf_map_lookup_elem(&serving_processes, &pid);

		if (connection)
			mark_serving(child->tgid, *connection);
	}
	inherit_runtime(parent, child);
	fill_header(&event.header, EVENT_FORK, parent);
	event.child_pid = child->tgid;
	event.child_start_time_ns = child->start_boottime;
	submit_security(&event, sizeof(event));
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *trusted_task)
{
	struct task_struct *task = DISTRUST(trusted_task);
	struct exit_event event = {};
	__u64 thread = task->pid;
	__u32 pid = task->tgid;

	/* do_exit() has already taken this thread off the count of living ones. */
	if (task->signal->live.counter == 0) {
		int group_code = task->signal->group_exit_code;

		fill_header(&event.header, EVENT_EXIT, task);
		event.code = group_code ? group_code : task->exit_code;
		submit_security(&event, sizeof(event));
		forget_serving(pid);
		bpf_map_delete_elem(&runtimes, &pid);
	}
	bpf_map_delete_elem(&units, &thread);
	if (pid == agent_pid) {
		pid = thread;
		bpf_map_delete_elem(&agent_threads, &pid);
	}
	return 0;
}
