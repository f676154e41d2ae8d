/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Telling the bytes of a message. */
#ifndef THROUGHLINE_MESSAGE_H
#define THROUGHLINE_MESSAGE_H

#include "lib/transfer.h"

/* Bytes that are told of a message, plain or plaintext of TLS: of a request, and of a reply. */
#define INBOUND_LIMIT 8192
#define OUTBOUND_LIMIT 1024
/* The first writes of a reply are all told, so that its end is seen by counting; later ones at each doubling. */
#define WRITES_TOLD 16

/*
 * Bytes that go into the ring where they stand: copied once, and not by way of the scratch buffer. What is reserved has to be a
 * constant, and what is left of it behind the bytes is never looked at, so there are two: most requests, and what is told of a reply.
 */
#define SMALL_MESSAGE 424
#define LARGE_MESSAGE 1024

/*
 * Counts bytes that are about to be told of a reply, or plaintext of one, and sets `room` to how many of them are: none of those that
 * never pass through the process's memory. Returns 0 where not even their number is.
 */
static __always_inline int count_reply(struct connection_state *connection, __u32 length, int has_bytes, __u32 *room)
{
	if (connection->direction != DIRECTION_OUT) {
		connection->direction = DIRECTION_OUT;
		connection->message_captured = 0;
		connection->writes = 0;
	}
	connection->bytes_out += length;
	connection->writes++;
	*room = has_bytes && connection->message_captured < OUTBOUND_LIMIT ? OUTBOUND_LIMIT - connection->message_captured : 0;
	if (!*room && connection->writes > WRITES_TOLD && connection->bytes_out < connection->next_report)
		return 0;
	connection->next_report = connection->bytes_out * 2;
	return 1;
}

/* A message of a client begins. */
static __always_inline void begin_inbound(struct connection_state *connection)
{
	connection->direction = DIRECTION_IN;
	connection->sequence++;
	connection->message_captured = 0;
	connection->writes = 0;
}

/* What every payload event says behind its header. */
static __always_inline void fill_payload(struct payload_event *event, __u64 connection, __u64 stream_offset, __u32 sequence,
					 __u32 direction, __u32 length, __u32 captured)
{
	event->connection = connection;
	event->stream_offset = stream_offset;
	event->sequence = sequence;
	event->direction = direction;
	event->length = length;
	event->captured_size = captured;
}

/*
 * Room in the ring for `captured` bytes, and the bytes themselves, from one buffer of the caller's memory. NULL, and counted, where
 * there is none. To be given back with submit_message or discard_message.
 */
static __always_inline struct payload_event *begin_message(__u64 buffer, __u32 *captured, __u8 *flags, const __u32 capacity)
{
	struct payload_event *event = bpf_ringbuf_reserve(&payload_ring, sizeof(*event) + capacity, 0);
	__u32 size = *captured;

	if (unlikely(!event)) {
		count_unread(COUNTER_LOST_PAYLOAD);
		return NULL;
	}
	asm volatile("" : "+r"(size));
	if (size > capacity)
		size = capacity;
	if (unlikely(size && bpf_probe_read_user((void *)event + sizeof(*event), size, (void *)buffer))) {
		*flags |= FLAG_UNREADABLE;
		count(COUNTER_UNREADABLE);
		size = 0;
	}
	*captured = size;
	return event;
}

/* Likewise, of as little room as does: for at most LARGE_MESSAGE bytes. */
static __always_inline struct payload_event *begin_fitting_message(__u64 buffer, __u32 *captured, __u8 *flags)
{
	return *captured <= SMALL_MESSAGE ? begin_message(buffer, captured, flags, SMALL_MESSAGE) :
					    begin_message(buffer, captured, flags, LARGE_MESSAGE);
}

/* The rest of it is filled in: see fill_header and fill_payload. */
static __always_inline void submit_message(struct payload_event *event, __u8 flags)
{
	event->header.flags = flags;
	event->header.size = sizeof(*event) + event->captured_size;
	bpf_ringbuf_submit(event, wake_flags_reserved(&payload_ring, PAYLOAD_WAKE_BYTES));
	count(COUNTER_EVENTS);
}

static __always_inline void discard_message(struct payload_event *event)
{
	/* It may be what took the ring over the mark. */
	bpf_ringbuf_discard(event, wake_flags_reserved(&payload_ring, PAYLOAD_WAKE_BYTES));
}

#endif
