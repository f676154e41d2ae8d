/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What system calls do not show of an event loop on libuv: work that waits for a thread of the pool, programs whose end
 * is told, handles that are closed. Each of them is an object that somebody hands over and somebody gets back: who hands
 * it over lends it its request, and the callback that gets it back goes on with that request. Probed are few functions
 * that are called only for such objects; a request that has none costs nothing. User space finds them in the program's
 * symbol table (src/kernel/uprobes/).
 */
#include "lib/socket.h"
#include "lib/stamp.h"
#include "lib/function.h"

/* enum uv_handle_type: part of the interface that libuv keeps. */
#define UV_NAMED_PIPE 7
/* Handles are aligned: the lowest bit tells waiting for output from waiting for the end of the handle. */
#define READING 1

struct lent_object_key {
	__u64 object;
	__u64 process;
};

struct lent_object {
	__u64 connection;
	__u32 sequence;
	__u32 reserved;
};

/* Objects that are on their way, by their address. What never comes back makes room, oldest first. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct lent_object_key);
	__type(value, struct lent_object);
} lent_objects SEC(".maps");

static __always_inline void tell_work(struct task_struct *task, __u64 object, __u32 phase)
{
	struct work_event event = {};

	fill_header(&event.header, EVENT_WORK, task);
	event.object = object;
	event.phase = phase;
	submit_security(&event, sizeof(event));
}

/* The object goes away with the request that the thread serves. Without one, an older loan of the address ends. */
static __always_inline int lend_object(__u64 object)
{
	struct lent_object_key key = { .object = object, .process = bpf_get_current_pid_tgid() >> 32 };
	struct task_struct *task = current_task();
	struct thread_state *thread = thread_of(task);
	struct lent_object lent = {};

	if (!thread || !thread->connection || is_agent()) {
		bpf_map_delete_elem(&lent_objects, &key);
		return 0;
	}
	lent.connection = thread->connection;
	lent.sequence = thread->sequence;
	bpf_map_update_elem(&lent_objects, &key, &lent, BPF_ANY);
	tell_work(task, object, WORK_SUBMITTED);
	return 0;
}

/* A thread of the pool begins with the object: what it does, it does for the request that handed it over. */
static __always_inline int work_on_object(__u64 object)
{
	struct lent_object_key key = { .object = object, .process = bpf_get_current_pid_tgid() >> 32 };
	struct lent_object *lent = bpf_map_lookup_elem(&lent_objects, &key);
	struct task_struct *task = current_task();
	struct thread_state *thread = thread_of(task);
	struct thread_state fresh = {};

	/* A synchronous call: the loop does it itself, for whom it runs. */
	if (thread && thread->is_loop)
		return 0;
	if (!lent) {
		if (thread)
			clear_stamp(thread, ORIGIN_NONE);
		return 0;
	}
	fresh.connection = lent->connection;
	fresh.sequence = lent->sequence;
	fresh.origin = ORIGIN_WORK;
	put_state(task, task->pid, &fresh);
	return 0;
}

/* The loop gets the object back: its callback goes on with the request, or with nobody that we know. */
static __always_inline int return_object(__u64 object)
{
	struct lent_object_key key = { .object = object, .process = bpf_get_current_pid_tgid() >> 32 };
	struct lent_object *lent = bpf_map_lookup_elem(&lent_objects, &key);
	struct task_struct *task = current_task();
	struct thread_state *thread = thread_of(task);

	if (!lent) {
		if (thread && thread->is_loop && thread->connection)
			clear_stamp(thread, ORIGIN_WAITED);
		return 0;
	}
	tell_work(task, object, WORK_DONE);
	if (thread && thread->is_loop)
		resume_request(thread, lent->connection, lent->sequence);
	bpf_map_delete_elem(&lent_objects, &key);
	return 0;
}

/* uv__work_submit(loop, work, kind, run, done) */
SEC("uprobe")
int uv_work_submit(struct pt_regs *ctx)
{
	count_hit(ctx);
	return lend_object(FUNCTION_ARG1(ctx));
}

/* uv__fs_work(work), uv__queue_work(work), uv__getaddrinfo_work(work), uv__getnameinfo_work(work) */
SEC("uprobe")
int uv_work_run(struct pt_regs *ctx)
{
	count_hit(ctx);
	return work_on_object(FUNCTION_ARG0(ctx));
}

/* uv__fs_done(work, status), uv__queue_done(work, status), uv__getaddrinfo_done(work, status), ... */
SEC("uprobe")
int uv_work_done(struct pt_regs *ctx)
{
	count_hit(ctx);
	return return_object(FUNCTION_ARG0(ctx));
}

/* uv_spawn(loop, process, options) */
SEC("uprobe")
int uv_spawn_enter(struct pt_regs *ctx)
{
	count_hit(ctx);
	return lend_object(FUNCTION_ARG1(ctx));
}

/* node::ProcessWrap::OnExit(process, status, signal) */
SEC("uprobe")
int node_process_exit(struct pt_regs *ctx)
{
	count_hit(ctx);
	return return_object(FUNCTION_ARG0(ctx));
}

/* uv_handle_t begins with data, loop and type in every version 1 of libuv. Pipes are the standard streams of programs. */
static __always_inline int is_pipe(__u64 handle)
{
	__u32 type = 0;

	return !bpf_probe_read_user(&type, sizeof(type), (void *)(handle + 16)) && type == UV_NAMED_PIPE;
}

/* uv_read_start(stream, ...): whoever reads the output of a program waits for it until the stream is closed. */
SEC("uprobe")
int uv_read_start_enter(struct pt_regs *ctx)
{
	__u64 handle = FUNCTION_ARG0(ctx);

	count_hit(ctx);
	return is_pipe(handle) ? lend_object(handle | READING) : 0;
}

/* The request waits for this object no more; who runs now does not change. */
static __always_inline void end_waiting(__u64 object)
{
	struct lent_object_key key = { .object = object, .process = bpf_get_current_pid_tgid() >> 32 };

	if (!bpf_map_lookup_elem(&lent_objects, &key))
		return;
	bpf_map_delete_elem(&lent_objects, &key);
	tell_work(current_task(), object, WORK_DONE);
}

/* uv_close(handle, callback): of a process, a pipe, a socket; its callback comes at the end of the loop's turn. */
SEC("uprobe")
int uv_close_enter(struct pt_regs *ctx)
{
	count_hit(ctx);
	if (is_pipe(FUNCTION_ARG0(ctx)))
		end_waiting(FUNCTION_ARG0(ctx) | READING);
	return lend_object(FUNCTION_ARG0(ctx));
}

/* node::HandleWrap::OnClose(handle) */
SEC("uprobe")
int node_handle_close(struct pt_regs *ctx)
{
	count_hit(ctx);
	return return_object(FUNCTION_ARG0(ctx));
}

/* node::Environment::RunTimers(timer), CheckImmediate(check): whatever they run is of some request or of none. */
SEC("uprobe")
int node_unknown_turn(struct pt_regs *ctx)
{
	struct thread_state *thread = thread_of(current_task());

	count_hit(ctx);
	if (thread && thread->is_loop && thread->connection)
		clear_stamp(thread, ORIGIN_WAITED);
	return 0;
}

/*
 * Contexts of Python (PEP 567): asyncio runs each task in one of its own, a copy of that of whoever made the task. From here
 * on it is a unit, which goes on with the request that its maker serves. An event loop between its tasks serves nobody.
 */
static __always_inline int context_made(__u64 context)
{
	struct task_struct *task = current_task();
	struct thread_state *maker = thread_of(task);
	struct thread_state fresh = {};
	__u32 pid = task->tgid;

	if (!context || !bpf_map_lookup_elem(&runtimes, &pid))
		return 0;
	if (maker && maker->connection && !maker->is_loop &&
	    (maker->origin == ORIGIN_READ || maker->origin == ORIGIN_TASK)) {
		fresh.connection = maker->connection;
		fresh.sequence = maker->sequence;
		fresh.socket = maker->socket;
		fresh.is_unix = maker->is_unix;
		fresh.origin = ORIGIN_TASK;
	}
	if (maker && maker->identity) {
		fresh.maker = unit_key(pid, maker->identity);
		fresh.made = (__u32)(bpf_ktime_get_boot_ns() >> 10);
	}
	fresh.identity = __sync_add_and_fetch(&tasks_made, 1) & UNIT_MASK;
	put_state(task, context_unit(pid, context), &fresh);
	return 0;
}

/* PyContext_CopyCurrent() */
SEC("uretprobe")
int python_context_copied(struct pt_regs *ctx)
{
	count_hit(ctx);
	return context_made(FUNCTION_POINTER_RESULT(ctx));
}

/* tp_dealloc of PyContext_Type: the address will be another context's. */
SEC("uprobe")
int python_context_freed(struct pt_regs *ctx)
{
	__u64 unit = context_unit(bpf_get_current_pid_tgid() >> 32, FUNCTION_ARG0(ctx));

	count_hit(ctx);
	bpf_map_delete_elem(&units, &unit);
	return 0;
}
