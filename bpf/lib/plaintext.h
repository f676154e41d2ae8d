/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plaintext of a TLS connection, from wherever it was taken: messages, limits and stamps are those of plain connections.
 *
 * What runs this may be preempted, so it does not use the processor's scratch buffer: events are written in the ring.
 */
#ifndef THROUGHLINE_PLAINTEXT_H
#define THROUGHLINE_PLAINTEXT_H

#include "lib/tls.h"
#include "lib/client.h"
#include "lib/message.h"

/* Value in ignored_connections: the plaintext is of no protocol that we read. Another value speaks of the ciphertext. */
#define PLAINTEXT_IGNORED 2

static __always_inline void emit_plaintext(struct task_struct *task, struct connection_state *connection, __u64 stream_offset,
					   __u64 buffer, __u32 length, __u32 captured, const __u32 capacity)
{
	__u8 flags = FLAG_PLAINTEXT;
	struct payload_event *event = begin_message(buffer, &captured, &flags, capacity);

	if (!event)
		return;
	fill_header(&event->header, EVENT_PAYLOAD, task);
	if (connection->direction == DIRECTION_OUT && goroutines_run())
		flags |= FLAG_MADE_RUN;
	fill_payload(event, connection->id, stream_offset, connection->sequence, connection->direction, length, captured);
	connection->message_captured += captured;
	submit_message(event, flags);
}

static __always_inline void tell_plaintext(struct task_struct *task, struct connection_state *connection, __u64 stream_offset,
				 __u64 buffer, __u32 length, __u32 room)
{
	__u32 captured = length < room ? length : room;

	if (captured <= SMALL_MESSAGE)
		emit_plaintext(task, connection, stream_offset, buffer, length, captured, SMALL_MESSAGE);
	else if (captured <= LARGE_MESSAGE)
		emit_plaintext(task, connection, stream_offset, buffer, length, captured, LARGE_MESSAGE);
	else
		emit_plaintext(task, connection, stream_offset, buffer, length, captured, INBOUND_LIMIT);
}

/* User space has said that nobody reads this plaintext. Looked up only for the first messages. */
static __always_inline int is_plaintext_ignored(struct connection_state *connection)
{
	__u64 id = connection->id;
	__u8 *value;

	if (connection->sequence > 16)
		return 0;
	value = bpf_map_lookup_elem(&ignored_connections, &id);
	if (!value || *value != PLAINTEXT_IGNORED)
		return 0;
	connection->tls_stage = TLS_UNREAD;
	return 1;
}

static __always_inline void plaintext_in(struct task_struct *task, struct connection_state *connection, __u64 socket,
					 __u64 buffer, __u32 length)
{
	__u64 offset = connection->bytes_in;
	__u32 room;

	if (connection->direction != DIRECTION_IN) {
		if (is_plaintext_ignored(connection)) {
			unmark_serving(task->tgid, connection->id);
			forget_stamp(task);
			return;
		}
		begin_inbound(connection);
	}
	connection->bytes_in += length;
	room = connection->message_captured < INBOUND_LIMIT ? INBOUND_LIMIT - connection->message_captured : 0;
	/* Told before the stamp changes, and its cut once: as for plain connections. */
	if (room || !connection->writes)
		tell_plaintext(task, connection, offset, buffer, length, room);
	if (!room)
		connection->writes = 1;
	stamp_running(task, connection, socket);
}

static __always_inline void plaintext_out(struct task_struct *task, struct connection_state *connection, __u64 buffer,
					  __u32 length)
{
	__u64 offset = connection->bytes_out;
	__u32 room;

	if (count_reply(connection, length, 1, &room))
		tell_plaintext(task, connection, offset, buffer, length, room);
}

/* Plaintext begins: what was counted until now was ciphertext. */
static __always_inline void begin_plaintext(struct connection_state *connection)
{
	connection->tls_stage = TLS_PLAINTEXT;
	connection->direction = DIRECTION_NONE;
	connection->bytes_in = 0;
	connection->bytes_out = 0;
	connection->next_report = 0;
	connection->message_captured = 0;
}

/* The process asks another service, as question() and answer() in payload.bpf.c tell it without TLS. */
static __always_inline void client_passed(struct task_struct *task, struct connection_state *connection, __u8 call,
					  __u64 buffer, __u32 length)
{
	__u64 offset;
	__u32 room, limit = call == TLS_WRITE ? INBOUND_LIMIT : OUTBOUND_LIMIT;
	__u8 direction = call == TLS_WRITE ? DIRECTION_OUT : DIRECTION_IN;

	/* The process serves nobody, or in a protocol that we do not read. */
	if (!connection->id || connection->tls_stage == TLS_UNREAD)
		return;
	if (connection->tls_stage != TLS_PLAINTEXT)
		begin_plaintext(connection);
	if (connection->direction != direction) {
		if (is_plaintext_ignored(connection))
			return;
		connection->direction = direction;
		connection->message_captured = 0;
		if (call == TLS_WRITE) {
			connection->sequence++;
			lend_stamp(task, connection);
		}
	} else if (call == TLS_WRITE) {
		notice_sharing(task, connection);
	}
	if (call == TLS_WRITE) {
		offset = connection->bytes_out;
		connection->bytes_out += length;
	} else {
		offset = connection->bytes_in;
		connection->bytes_in += length;
	}
	room = connection->message_captured < limit ? limit - connection->message_captured : 0;
	if (room)
		tell_plaintext(task, connection, offset, buffer, length, room);
	if (call == TLS_READ)
		return_stamp(task, connection);
}

/* The process has read this plaintext, or is about to write it. */
static __always_inline void plaintext_passed(struct task_struct *task, struct connection_state *connection, __u64 socket,
					     __u8 call, __u64 buffer, __u32 length)
{
	if (is_client(connection)) {
		client_passed(task, connection, call, buffer, length);
		return;
	}
	if (connection->mode != MODE_TLS) {
		count_unread(COUNTER_TLS_UNPLACED);
		return;
	}
	if (connection->tls_stage == TLS_UNREAD) {
		if (call == TLS_READ)
			forget_stamp(task);
		return;
	}
	if (connection->tls_stage != TLS_PLAINTEXT) {
		/* A reply without its request is the beginning of nothing. */
		if (connection->tls_stage == TLS_JOINED && call == TLS_WRITE)
			return;
		begin_plaintext(connection);
	}
	if (call == TLS_READ)
		plaintext_in(task, connection, socket, buffer, length);
	else
		plaintext_out(task, connection, buffer, length);
}

#endif
