/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads that come back from waiting for work: their stamp is no longer true. */
#include "lib/socket.h"
#include "lib/stamp.h"
#include "lib/syscall-exit.h"

/* Event loops: which request runs next is known only when something is read. */
SEC("exit")
int SYSCALL_EXIT(exit_epoll_wait, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	struct unit_state fresh = {}, *thread;
	__u8 ready_count = result < 0 ? 0 : result > 255 ? 255 : result;
	__u64 unit;

	if (serves_nobody(task->tgid))
		return 0;
	unit = unit_of(task);
	thread = state_of(task, unit);
	if (thread) {
		__u8 immediates;

		note_immediates(thread);
		immediates = thread->immediates;
		clear_stamp(thread, ORIGIN_WAITED);
		/* There are none, or nobody else runs before they do, since nothing was ready. */
		if (!ready_count || immediates == IMMEDIATES_NONE)
			thread->immediates = immediates;
		thread->socket = 0;
		thread->ready_count = ready_count;
		thread->is_loop = 1;
		return 0;
	}
	/* A loop of a serving process that has read nothing yet: remember that it is one. */
	if (!is_serving(task->tgid))
		return 0;
	fresh.origin = ORIGIN_WAITED;
	fresh.ready_count = ready_count;
	fresh.is_loop = 1;
	put_state(task, unit, &fresh);
	return 0;
}

/*
 * poll and select are used inside a request as well (a database driver that waits for its answer), so they end it only
 * when its reply has begun.
 */
SEC("exit")
int SYSCALL_EXIT(exit_poll, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	struct unit_state *thread = serves_nobody(task->tgid) ? NULL : running_unit(task);
	struct connection_state *connection;

	if (!thread || !thread->connection)
		return 0;
	connection = find_connection(thread->socket, thread->is_unix ? FAMILY_UNIX : FAMILY_IPV4);
	/* A connection that is gone proves nothing: the client may have left while the request is in work. */
	if (connection && connection->id == thread->connection && connection->direction == DIRECTION_OUT)
		clear_stamp(thread, ORIGIN_NONE);
	return 0;
}
