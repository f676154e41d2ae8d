/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Telling the bytes of a transfer, wherever its caller has them. */
#ifndef THROUGHLINE_REPORT_H
#define THROUGHLINE_REPORT_H

#include "lib/message.h"

/* Tells the bytes of the transfer that were copied behind the fixed part of the event in `scratch`. */
static __always_inline void report_copied(struct connection_state *connection, __u64 stream_offset, unsigned int length,
					  struct scratch *scratch, unsigned int captured, __u8 flags)
{
	struct payload_event *event = (struct payload_event *)scratch->data;
	unsigned int size;

	event->header.flags = flags;
	fill_payload(event, connection->id, stream_offset, connection->sequence, connection->direction, length, captured);
	connection->message_captured += captured;
	size = sizeof(*event) + captured;
	BOUND(size, 0x7fff);
	submit_payload(event, size);
}

/* Likewise, where they are still in the caller's memory: more than what the ring takes at once, or in several places. */
static __noinline void report_by_copy(struct connection_state *connection, __u64 stream_offset,
					   const struct transfer *transfer, unsigned int room, __u8 flags)
{
	struct scratch *scratch = scratch_acquire();
	unsigned int captured = 0;

	if (!scratch)
		return;
	if (room)
		captured = copy_bytes(scratch->data, transfer, room, &flags);
	fill_header(&((struct payload_event *)scratch->data)->header, EVENT_PAYLOAD, current_task());
	report_copied(connection, stream_offset, transfer->length, scratch, captured, flags);
	scratch_release(scratch);
}

static __always_inline void report(struct task_struct *task, struct connection_state *connection, __u64 stream_offset,
				   const struct transfer *transfer, unsigned int room)
{
	__u32 captured = transfer->length < room ? transfer->length : room;
	struct payload_event *event;
	__u8 flags = 0;

	if (connection->direction == DIRECTION_OUT && may_have_runtime(task->tgid) && goroutines_run())
		flags |= FLAG_MADE_RUN;
	if (unlikely(transfer->vector_count || captured > LARGE_MESSAGE)) {
		report_by_copy(connection, stream_offset, transfer, room, flags);
		return;
	}
	event = begin_fitting_message(transfer->address, &captured, &flags);
	if (!event)
		return;
	fill_header(&event->header, EVENT_PAYLOAD, task);
	fill_payload(event, connection->id, stream_offset, connection->sequence, connection->direction, transfer->length,
		     captured);
	connection->message_captured += captured;
	submit_message(event, flags);
}

#endif
