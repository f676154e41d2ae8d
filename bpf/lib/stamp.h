/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The request stamp of each thread, goroutine or task (lib/unit.h): the cheap current context that every event carries. It
 * is what the kernel can know at once; user space refines it. Also which processes serve requests, since their effects
 * are wanted.
 */
#ifndef THROUGHLINE_STAMP_H
#define THROUGHLINE_STAMP_H

#include "lib/event.h"
#include "lib/immediates.h"

/* Neither is the process one that serves, nor has a unit of it a state. */
static __always_inline int serves_nobody(__u32 pid)
{
	return !maybe_serving[MARK_OF(pid)];
}

static __always_inline int is_serving(__u32 pid)
{
	return !serves_nobody(pid) && bpf_map_lookup_elem(&serving_processes, &pid) != NULL;
}

/* Returns 0 when there was no room. */
static __noinline int mark_serving(__u32 pid, __u64 connection)
{
	int error;

	if (is_serving(pid))
		return 1;
	/* Before the process can be found, so that whoever looks it up has the mark. */
	__sync_fetch_and_add(&maybe_serving[MARK_OF(pid)], 1);
	error = bpf_map_update_elem(&serving_processes, &pid, &connection, BPF_NOEXIST);
	if (!error)
		return 1;
	__sync_fetch_and_add(&maybe_serving[MARK_OF(pid)], -1);
	if (error == -EEXIST)
		return 1;
	count(COUNTER_SERVING_FULL);
	return 0;
}

/* The process is gone. */
static __always_inline void forget_serving(__u32 pid)
{
	if (!serves_nobody(pid) && !bpf_map_delete_elem(&serving_processes, &pid))
		__sync_fetch_and_add(&maybe_serving[MARK_OF(pid)], -1);
}

/* A connection that nobody reads makes no process one that serves. */
static __always_inline void unmark_serving(__u32 pid, __u64 connection)
{
	__u64 *marked_by = bpf_map_lookup_elem(&serving_processes, &pid);

	if (!marked_by || *marked_by != connection)
		return;
	/* maybe_serving keeps it: its threads may have states. */
	bpf_map_delete_elem(&serving_processes, &pid);
	/* Only now: a thread that has seen the number marks its process anew. */
	__sync_fetch_and_add(&serving_marks_taken, 1);
}

#define FIRST_IS_UNIX (1ULL << 32)

/* The first request of a unit. A function of its own: it happens once, and needs a stack of its own. */
__noinline int stamp_first(__u64 unit, __u64 connection, __u64 socket, __u32 sequence, __u64 marked_at)
{
	struct unit_state fresh = {
		.connection = connection,
		.sequence = sequence,
		.socket = socket,
		.origin = ORIGIN_READ,
		.is_unix = (marked_at & FIRST_IS_UNIX) != 0,
		.marked_at = marked_at,
	};

	put_state(current_task(), unit, &fresh);
	return 0;
}

/* The unit has read the bytes of a request: from now on it serves that one, and its process is one that serves. */
static __always_inline void stamp_unit(struct task_struct *task, __u64 unit, struct unit_state *thread,
				       struct connection_state *connection, __u64 socket)
{
	__u32 marked_at = serving_marks_taken + 1;

	if (!is_thread(unit))
		note_goroutines(unit, connection->id, connection->sequence);
	/* The mark goes with the connection that set it, should that turn out to be unreadable: then it is set again. */
	if ((!thread || thread->marked_at != marked_at) && !mark_serving(task->tgid, connection->id))
		marked_at = 0;
	if (thread) {
		share_immediates(thread, connection->id, connection->sequence);
		thread->has_read = 1;
		thread->marked_at = marked_at;
		thread->connection = connection->id;
		thread->sequence = connection->sequence;
		thread->socket = socket;
		thread->origin = ORIGIN_READ;
		thread->is_unix = connection->family == FAMILY_UNIX;
		return;
	}
	stamp_first(unit, connection->id, socket, connection->sequence,
		    marked_at | (connection->family == FAMILY_UNIX ? FIRST_IS_UNIX : 0));
}

static __always_inline void stamp_running(struct task_struct *task, struct connection_state *connection, __u64 socket)
{
	__u64 unit = unit_of(task);

	stamp_unit(task, unit, state_of(task, unit), connection, socket);
}

/* An event loop has got something back: it goes on with the request that had lent it. */
static __always_inline void resume_request(struct unit_state *thread, __u64 connection, __u32 sequence)
{
	share_immediates(thread, connection, sequence);
	thread->connection = connection;
	thread->sequence = sequence;
	thread->socket = 0;
	thread->origin = ORIGIN_LINKED;
}

/* The thread serves nothing any more. `origin` tells user space why: see ORIGIN_WAITED. */
static __always_inline void clear_stamp(struct unit_state *thread, __u8 origin)
{
	share_immediates(thread, 0, 0);
	thread->has_read = 0;
	thread->connection = 0;
	thread->sequence = 0;
	thread->origin = origin;
}

/* The thread works on something that we cannot read: what it did before is no explanation any more. */
static __always_inline void forget_stamp(struct task_struct *task)
{
	struct unit_state *thread = running_unit(task);

	if (thread)
		clear_stamp(thread, ORIGIN_NONE);
}

#endif
