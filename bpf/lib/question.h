/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a process that serves requests asks other services, and what these answer. */
#ifndef THROUGHLINE_QUESTION_H
#define THROUGHLINE_QUESTION_H

#include "lib/client.h"
#include "lib/datagram.h"
#include "lib/report.h"

/* The process asks another service. Returns whether it was a datagram that is no question, or something of no interest. */
static __always_inline int question(struct task_struct *task, struct sock *sk, struct connection_state *connection,
				     const struct transfer *transfer)
{
	unsigned int room;
	__u64 offset, id;

	if (connection ? !is_client(connection) : !is_serving(task->tgid))
		return !connection;
	if (!connection && datagram_sent(sk, transfer))
		return 0;
	if (!connection)
		connection = adopt_client(sk);
	else if (!connection->id && is_serving(task->tgid))
		connection = name_client(sk, connection, transfer->length);
	if (!connection)
		return 1;
	if (!connection->id) {
		/* Counted only, so that whoever names it knows that its beginning is over. */
		connection->bytes_out += transfer->length;
		return 0;
	}
	/* Once there is plaintext, that is the question: see tls.bpf.c. */
	if (connection->tls_stage == TLS_PLAINTEXT)
		return 0;
	if (connection->direction != DIRECTION_OUT) {
		id = connection->id;
		if (connection->sequence <= 16 && bpf_map_lookup_elem(&ignored_connections, &id)) {
			/* Nobody tells whose answer comes. */
			connection->is_shared = 1;
			connection->mode = MODE_CLIENT_UNREAD;
		}
		connection->direction = DIRECTION_OUT;
		connection->sequence++;
		connection->message_captured = 0;
		lend_stamp(task, connection);
	} else {
		notice_sharing(task, connection);
	}
	offset = connection->bytes_out;
	connection->bytes_out += transfer->length;
	if (connection->mode == MODE_CLIENT_UNREAD)
		return 0;
	room = transfer->address && connection->message_captured < INBOUND_LIMIT ?
		       INBOUND_LIMIT - connection->message_captured :
		       0;
	if (room)
		report(task, connection, offset, transfer, room);
	return 0;
}

/* The other service answers. */
static __always_inline void answer(struct task_struct *task, struct connection_state *connection,
				   const struct transfer *transfer)
{
	unsigned int room;
	__u64 offset = connection->bytes_in;

	if (!connection->id) {
		connection->bytes_in += transfer->length;
		return;
	}
	if (connection->tls_stage == TLS_PLAINTEXT) {
		return_stamp(task, connection);
		return;
	}
	if (connection->direction != DIRECTION_IN) {
		connection->direction = DIRECTION_IN;
		connection->message_captured = 0;
	}
	connection->bytes_in += transfer->length;
	room = connection->mode == MODE_CLIENT && connection->message_captured < OUTBOUND_LIMIT ?
		       OUTBOUND_LIMIT - connection->message_captured :
		       0;
	if (room)
		report(task, connection, offset, transfer, room);
	return_stamp(task, connection);
}

#endif
