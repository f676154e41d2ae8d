/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Immediates of Node.js (setImmediate): whose code has asked for those that are still to run. No probe tells. While some are
 * asked for, an idle handle of the loop is active, so that the loop does not block, and that stands in the loop's memory. It is
 * looked at whenever the loop turns to somebody else: what is asked for by then, and was not before, the one asked for
 * whom it ran until now. A loop that has many to turn to and was never seen with immediates is spared that: it is looked at
 * before it waits, and whose the first ones are is not known.
 */
#ifndef THROUGHLINE_IMMEDIATES_H
#define THROUGHLINE_IMMEDIATES_H

#include "lib/unit.h"

/*
 * Head of the list of active idle handles in uv_loop_t, part of the interface that libuv 1 keeps; an empty list points to
 * itself. A mutex of glibc stands before it.
 */
#if defined(__TARGET_ARCH_x86)
#define LOOP_IDLE_HANDLES_OFFSET 416
#else
#define LOOP_IDLE_HANDLES_OFFSET 424
#endif

/* What cannot be read may have some. */
static __always_inline int has_immediates(__u64 loop)
{
	__u64 head = loop + LOOP_IDLE_HANDLES_OFFSET;

	return read_pointer(head) != head;
}

/* The thread runs this loop. Who asked for immediates before that was known, nobody knows. */
static __always_inline void note_loop(struct unit_state *thread, __u64 loop)
{
	if (thread->loop || !thread->is_loop)
		return;
	thread->loop = loop;
	thread->immediates = has_immediates(loop) ? IMMEDIATES_SHARED : IMMEDIATES_NONE;
}

/* Another program, or another thread, than that which ran the loop. */
static __always_inline void forget_loop(struct unit_state *thread)
{
	thread->loop = 0;
	thread->is_loop = 0;
	thread->immediates = IMMEDIATES_NONE;
	thread->asks_immediates = 0;
}

/* Before the loop turns to somebody else, before it waits, and before immediates run. */
static __always_inline void note_immediates(struct unit_state *thread)
{
	if (!thread->loop)
		return;
	if (!has_immediates(thread->loop)) {
		thread->immediates = IMMEDIATES_NONE;
		return;
	}
	thread->asks_immediates = 1;
	if (thread->immediates == IMMEDIATES_UNWATCHED) {
		thread->immediates = IMMEDIATES_SHARED;
	} else if (thread->immediates == IMMEDIATES_NONE) {
		thread->immediate_connection = thread->connection;
		thread->immediate_sequence = thread->sequence;
		thread->immediates = thread->connection ? IMMEDIATES_OWNED : IMMEDIATES_SHARED;
	}
}

/* The loop turns to somebody else: whatever asks for an immediate from now on cannot be told from who did before. */
static __always_inline void share_immediates(struct unit_state *thread, __u64 connection, __u32 sequence)
{
	if (!thread->asks_immediates && thread->ready_count > 1) {
		if (thread->immediates == IMMEDIATES_NONE)
			thread->immediates = IMMEDIATES_UNWATCHED;
		return;
	}
	note_immediates(thread);
	if (thread->immediates == IMMEDIATES_OWNED &&
	    (thread->immediate_connection != connection || thread->immediate_sequence != sequence))
		thread->immediates = IMMEDIATES_SHARED;
}

#endif
