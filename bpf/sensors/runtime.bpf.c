/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What system calls do not show of an event loop on libuv: work that waits for a thread of the pool, programs whose end
 * is told, handles that are closed. Each of them is an object that somebody hands over and somebody gets back: who hands
 * it over lends it its request, and the callback that gets it back goes on with that request. Probed are few functions
 * that are called only for such objects; a request that has none costs nothing. User space finds them in the program's
 * symbol table (src/kernel/uprobes/).
 */
#include "lib/socket.h"
#include "lib/lent.h"
#include "lib/stamp.h"
#include "lib/function.h"

static __always_inline void tell_work(struct task_struct *task, __u64 object, __u32 phase)
{
	struct work_event event = {};

	fill_header(&event.header, EVENT_WORK, task);
	event.object = object;
	event.phase = phase;
	submit_security(&event, sizeof(event));
}

/*
 * The object goes away with the request that the thread serves. Without one, an older loan of the address ends; but where
 * paths go with it, a thread that meets them has to know that it serves nobody.
 */
static __always_inline int lend_object(__u64 object, struct lent_paths paths)
{
	__u32 process = bpf_get_current_pid_tgid() >> 32;
	struct lent_key key = { .address = object, .process = process };
	struct lent_object lent = { .paths = paths };
	struct task_struct *task = current_task();
	struct unit_state *thread = running_unit(task);

	if (!thread || is_agent() || (!thread->connection && !paths.first)) {
		end_loan(object, process, paths);
		return 0;
	}
	lent.connection = thread->connection;
	lent.sequence = thread->connection ? thread->sequence : 0;
	bpf_map_update_elem(&lent_objects, &key, &lent, BPF_ANY);
	link_path(paths.first, process, object);
	link_path(paths.second, process, object);
	if (lent.connection)
		tell_work(task, object, WORK_SUBMITTED);
	return 0;
}

static const struct lent_paths NO_PATHS = {};

/* A thread of the pool begins with the object: what it does, it does for the request that handed it over. */
static __always_inline int work_on_object(__u64 object)
{
	struct lent_object *lent = find_lent(object, bpf_get_current_pid_tgid() >> 32);
	struct task_struct *task = current_task();
	struct unit_state *thread = running_unit(task);
	struct unit_state fresh = {};

	/* A synchronous call: the loop does it itself, for whom it runs. */
	if (thread && thread->is_loop)
		return 0;
	if (!lent || !lent->connection) {
		if (thread)
			clear_stamp(thread, ORIGIN_NONE);
		return 0;
	}
	fresh.connection = lent->connection;
	fresh.sequence = lent->sequence;
	fresh.socket = object;
	fresh.origin = ORIGIN_WORK;
	put_state(task, task->pid, &fresh);
	return 0;
}

/* The loop gets the object back: its callback goes on with the request, or with nobody that we know. */
static __always_inline int return_object(__u64 object)
{
	__u32 process = bpf_get_current_pid_tgid() >> 32;
	struct lent_object *lent = find_lent(object, process);
	struct task_struct *task = current_task();
	struct unit_state *thread = running_unit(task);

	if (lent && lent->connection) {
		tell_work(task, object, WORK_DONE);
		if (thread && thread->is_loop)
			resume_request(thread, lent->connection, lent->sequence);
	} else if (thread && thread->is_loop && thread->connection) {
		clear_stamp(thread, ORIGIN_WAITED);
	}
	if (lent)
		end_loan(object, process, lent->paths);
	return 0;
}

/*
 * uv_fs_t, whose layout libuv 1 keeps: uv__work_submit gets its last member but one. Its paths are as long as the work
 * (uv_fs_req_cleanup frees them), and nobody else's meanwhile.
 */
#define FS_REQUEST_WORK_OFFSET 336
#define FS_REQUEST_LOOP_OFFSET 72
#define FS_REQUEST_NEW_PATH_OFFSET 272
/* UV__WORK_FAST_IO: what is done with files, and nothing else. */
#define WORK_KIND_FILES 1

struct fs_request {
	__u64 loop;
	__u64 callback;
	__u64 result;
	__u64 pointer;
	__u64 path;
};

/* Of a request that does not look as it should, none: then the thread of the pool serves nobody. */
static __always_inline struct lent_paths paths_of(__u64 loop, __u64 work)
{
	__u64 address = work - FS_REQUEST_WORK_OFFSET;
	struct lent_paths paths = {};
	struct fs_request request = {};

	if (bpf_probe_read_user(&request, sizeof(request), (void *)(address + FS_REQUEST_LOOP_OFFSET)) ||
	    request.loop != loop)
		return paths;
	paths.first = request.path;
	paths.second = read_pointer(address + FS_REQUEST_NEW_PATH_OFFSET);
	return paths;
}

/* uv__work_submit(loop, work, kind, run, done) */
SEC("uprobe")
int uv_work_submit(struct pt_regs *ctx)
{
	__u64 loop = FUNCTION_ARG0(ctx), work = FUNCTION_ARG1(ctx);
	struct unit_state *thread = running_unit(current_task());

	count_hit(ctx);
	if (thread)
		note_loop(thread, loop);
	return lend_object(work, (__u32)FUNCTION_ARG2(ctx) == WORK_KIND_FILES ? paths_of(loop, work) : NO_PATHS);
}

/* Where uv_work_t has its work, likewise. */
#define QUEUE_REQUEST_WORK_OFFSET 88

/* uv_queue_work(loop, request, run, done): most builds have uv__work_submit within it. */
SEC("uprobe")
int uv_queue_work_enter(struct pt_regs *ctx)
{
	count_hit(ctx);
	return lend_object(FUNCTION_ARG1(ctx) + QUEUE_REQUEST_WORK_OFFSET, NO_PATHS);
}

/* uv__queue_work(work), uv__getaddrinfo_work(work), uv__getnameinfo_work(work) */
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

/* uv_process_options_t and uv_stdio_container_t: part of the interface that libuv 1 keeps. */
#define SPAWN_STDIO_COUNT_OFFSET 44
#define SPAWN_STDIO_OFFSET 48
#define UV_CREATE_PIPE 1
#define SPAWN_PIPES 3

struct stdio_container {
	__u32 flags;
	__u32 reserved;
	__u64 stream;
};

/*
 * uv_spawn(loop, process, options): whoever starts a program waits for its end, and for that of the pipes to it, which
 * come with the same call.
 */
SEC("uprobe")
int uv_spawn_enter(struct pt_regs *ctx)
{
	struct stdio_container containers[SPAWN_PIPES] = {};
	__u64 options = FUNCTION_ARG2(ctx);
	__u64 stdio = read_pointer(options + SPAWN_STDIO_OFFSET);
	__u32 stdio_count = 0, index;

	count_hit(ctx);
	lend_object(FUNCTION_ARG1(ctx), NO_PATHS);
	if (bpf_probe_read_user(&stdio_count, sizeof(stdio_count), (void *)(options + SPAWN_STDIO_COUNT_OFFSET)) ||
	    !stdio || bpf_probe_read_user(containers, sizeof(containers), (void *)stdio))
		return 0;
	for (index = 0; index < SPAWN_PIPES; index++)
		if (index < stdio_count && (containers[index].flags & UV_CREATE_PIPE))
			lend_object(containers[index].stream, NO_PATHS);
	return 0;
}

/* node::ProcessWrap::OnExit(process, status, signal) */
SEC("uprobe")
int node_process_exit(struct pt_regs *ctx)
{
	count_hit(ctx);
	return return_object(FUNCTION_ARG0(ctx));
}

/*
 * uv__tcp_close(handle), or uv_close(handle, callback) where the program does not show the former: the callback comes at the
 * end of the loop's turn.
 */
SEC("uprobe")
int uv_close_enter(struct pt_regs *ctx)
{
	count_hit(ctx);
	return lend_object(FUNCTION_ARG0(ctx), NO_PATHS);
}

/*
 * uv__stream_destroy(stream) and uv__udp_finish_close(handle), with which libuv ends a handle right before it calls back, or
 * node::HandleWrap::OnClose(handle) where the program does not show them: nearly all other handles end without a callback
 * of the application, as that of each program does.
 */
SEC("uprobe")
int node_handle_close(struct pt_regs *ctx)
{
	count_hit(ctx);
	return return_object(FUNCTION_ARG0(ctx));
}

/*
 * Callbacks of which nobody can tell for whom they are: what other threads call for, which libuv does in the turn in which it
 * has read something, or got work of the pool back, and without a system call (uv_async_send):
 * node::worker::MessagePort::OnMessage(port), node::worker::Worker::JoinThread(worker),
 * v8impl::ThreadSafeFunction::AsyncCb(handle).
 */
SEC("uprobe")
int node_unowned(struct pt_regs *ctx)
{
	struct unit_state *thread = running_unit(current_task());

	count_hit(ctx);
	if (thread && thread->is_loop)
		clear_stamp(thread, ORIGIN_WAITED);
	return 0;
}

/* Where each handle of libuv 1 has its loop. */
#define HANDLE_LOOP_OFFSET 8

/* node::Environment::RunTimers(timer): nobody can tell for whom they are either. The timer is on the loop that this thread runs. */
SEC("uprobe")
int node_timers(struct pt_regs *ctx)
{
	struct unit_state *thread = running_unit(current_task());

	count_hit(ctx);
	if (!thread || !thread->is_loop)
		return 0;
	if (!thread->loop)
		note_loop(thread, read_pointer(FUNCTION_ARG0(ctx) + HANDLE_LOOP_OFFSET));
	clear_stamp(thread, ORIGIN_WAITED);
	return 0;
}

/*
 * node::PrincipalRealm::immediate_callback_function(), with which immediates are run, or CheckImmediate(check), which older
 * versions call in every turn: the immediates run. With several descriptors that were ready, callbacks may have
 * asked for some that read nothing and are not seen.
 */
SEC("uprobe")
int node_immediates(struct pt_regs *ctx)
{
	struct unit_state *thread = running_unit(current_task());

	count_hit(ctx);
	if (!thread || !thread->is_loop)
		return 0;
	note_immediates(thread);
	if (thread->immediates == IMMEDIATES_OWNED && thread->ready_count <= 1)
		resume_request(thread, thread->immediate_connection, thread->immediate_sequence);
	else if (thread->connection)
		clear_stamp(thread, ORIGIN_WAITED);
	thread->immediates = IMMEDIATES_NONE;
	return 0;
}

static __always_inline __u32 next_task(void)
{
	return __sync_add_and_fetch(&tasks_made, 1) & UNIT_MASK;
}

/*
 * Contexts of Python (PEP 567): asyncio runs each task in one of its own, a copy of that of whoever made the task. From here
 * on it is a unit, which goes on with the request that its maker serves. An event loop between its tasks serves nobody.
 */
static __always_inline int context_made(__u64 context)
{
	struct task_struct *task = current_task();
	struct unit_state *maker = running_unit(task);
	struct unit_state fresh = {};
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
		fresh.generation = maker->origin == ORIGIN_READ ? 1 : 2;
		fresh.made_on = task->pid;
	}
	if (maker && maker->identity) {
		fresh.maker = unit_key(pid, maker->identity);
		fresh.made = (__u32)(bpf_ktime_get_boot_ns() >> 10);
	}
	fresh.identity = next_task();
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

/*
 * Context.run() of Python: uvloop reads outside of any context, and then runs what gets the bytes in that of the server, which
 * all its connections share. The first one that is run after the read is that; when it is run for anything else, it serves
 * nobody.
 */
SEC("uprobe")
int python_context_run(struct pt_regs *ctx)
{
	struct task_struct *task = current_task();
	__u32 pid = task->tgid;
	__u64 unit = context_unit(pid, FUNCTION_ARG0(ctx));
	struct runtime *runtime = bpf_map_lookup_elem(&runtimes, &pid);
	struct unit_state *reader, *known;
	struct unit_state entered = {};

	count_hit(ctx);
	if (!runtime || !runtime->reads_outside)
		return 0;
	reader = state_of(task, task->pid);
	if (!reader || !reader->has_read) {
		known = state_of(task, unit);
		if (known && known->origin == ORIGIN_READ)
			clear_stamp(known, ORIGIN_NONE);
		return 0;
	}
	reader->has_read = 0;
	known = state_of(task, unit);
	entered.identity = known ? known->identity : next_task();
	entered.connection = reader->connection;
	entered.sequence = reader->sequence;
	entered.socket = reader->socket;
	entered.is_unix = reader->is_unix;
	entered.origin = ORIGIN_READ;
	put_state(task, unit, &entered);
	return 0;
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
