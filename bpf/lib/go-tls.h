/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Go's crypto/tls, as the transfer programs see it: what a goroutine does there, so that a socket that is read or written
 * meanwhile is joined to its tls.Conn (sensors/go-tls.bpf.c). A goroutine moves between threads while it waits for a
 * socket, so all of this belongs to the goroutine.
 */
#ifndef THROUGHLINE_GO_TLS_H
#define THROUGHLINE_GO_TLS_H

#include "lib/socket.h"
#include "lib/unit.h"

/* A library's session object, by its address. */
struct tls_session_key {
	__u64 session;
	__u64 process;
};

struct go_call {
	__u64 start_time_ns; /* of the process */
	__u64 handshaking;   /* tls.Conn of which a handshake has begun: the next transfer is its first */
	__u64 reading;       /* tls.Conn of which a record is read, and from which socket so far */
	__u64 socket;
	__u64 writing; /* tls.Conn, buffer and length of a write that has moved nothing yet: see go_tls_write */
	__u64 buffer;
	__u64 length;
	__u64 family;
	__u64 record; /* plaintext of the record that was there when the one that is read was asked for: see go_tls_record */
};

/* By goroutine. Nothing tells the end of one, so the oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct go_call);
} go_calls SEC(".maps");

struct go_session {
	__u64 socket; /* 0: not known yet */
	__u64 inode;  /* of the socket, whose address may be another's by now */
	__u64 connection; /* 0: none of ours, such as a client's */
	__u32 consumed;   /* bytes of the record in work that were told */
	__u8 family;
	__u8 reserved[3];
};

/*
 * By tls.Conn, which the collector does not move. Nothing tells that it is freed, but whatever takes its place begins with
 * a handshake, and then what was believed of the address is over.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct tls_session_key);
	__type(value, struct go_session);
} go_sessions SEC(".maps");

static __always_inline struct go_call *go_call_of(struct task_struct *task, __u64 goroutine)
{
	struct go_call *call = bpf_map_lookup_elem(&go_calls, &goroutine);

	return call && call->start_time_ns == start_of(task, goroutine) ? call : NULL;
}

static __always_inline struct go_call *need_go_call(struct task_struct *task, __u64 goroutine)
{
	struct go_call *call = go_call_of(task, goroutine);
	struct go_call fresh = { .start_time_ns = start_of(task, goroutine) };

	if (call)
		return call;
	bpf_map_update_elem(&go_calls, &goroutine, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&go_calls, &goroutine);
}

/* Whether a session's bytes may be those of a connection. TLS inside of TLS has one session too many: the outer one has it. */
static __always_inline int go_session_may_have(struct tls_session_key *key, struct connection_state *connection)
{
	if (!is_client(connection) && connection->mode != MODE_TLS)
		return 0;
	return !connection->tls_session || connection->tls_session == key->session;
}

static __always_inline void learn_go_session(struct tls_session_key *key, struct go_session *session, __u64 socket,
					     __u8 family)
{
	struct connection_state *connection = find_connection(socket, family);

	if (connection && !go_session_may_have(key, connection))
		return;
	session->socket = socket;
	session->inode = inode_of((struct sock *)socket);
	session->family = family;
	session->connection = connection ? connection->id : 0;
	if (connection)
		connection->tls_session = key->session;
}

/*
 * The goroutine has moved bytes over a socket. Between the beginning of a handshake and its first transfer it does nothing
 * else, and neither does it while it reads a record; a write is not needed to know whose it is.
 */
static __always_inline void note_go_transfer(struct task_struct *task, __u64 goroutine, struct sock *sk, int direction)
{
	struct tls_session_key key = { .process = task->tgid };
	struct go_call *call = go_call_of(task, goroutine);
	struct go_session *session;

	if (!call || READ(sk, sk_type) != SOCK_STREAM)
		return;
	if (call->handshaking) {
		key.session = call->handshaking;
		call->handshaking = 0;
		session = bpf_map_lookup_elem(&go_sessions, &key);
		if (session)
			learn_go_session(&key, session, (__u64)sk, family_of(sk));
	}
	if (direction == DIRECTION_OUT) {
		call->writing = 0;
	} else if (call->reading) {
		call->socket = (__u64)sk;
		call->family = family_of(sk);
	}
}

#endif
