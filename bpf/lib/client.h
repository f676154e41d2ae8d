/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections that a serving process made to others. On an event loop a context follows objects: whoever writes a
 * question to such a connection lends it the request that the thread serves, and reading the answer makes that request
 * the thread's again. Who waits in the call instead keeps its stamp all the while.
 */
#ifndef THROUGHLINE_CLIENT_H
#define THROUGHLINE_CLIENT_H

#include "lib/socket.h"
#include "lib/stamp.h"

/* The request that the thread serves now is the one that waits for this connection. */
static __always_inline void lend_stamp(struct task_struct *task, struct connection_state *connection)
{
	struct unit_state *thread = running_unit(task);

	connection->owner_connection = thread ? thread->connection : 0;
	connection->owner_sequence = thread ? thread->sequence : 0;
}

static __always_inline int is_owner(struct unit_state *thread, struct connection_state *connection)
{
	return thread->connection == connection->owner_connection && thread->sequence == connection->owner_sequence;
}

/*
 * A second question before the first was answered, of another request: this connection carries several at once from
 * now on (a client that pipelines, HTTP/2), and only a reader of its protocol can tell whose answer comes.
 */
static __always_inline void notice_sharing(struct task_struct *task, struct connection_state *connection)
{
	struct unit_state *thread = running_unit(task);

	if (!thread || !is_owner(thread, connection))
		connection->is_shared = 1;
}

/*
 * An event loop goes on with what waited for this connection. What reads the answers to others was made by a request and
 * serves a pool since.
 */
static __always_inline void return_stamp(struct task_struct *task, struct connection_state *connection)
{
	struct unit_state *thread = running_unit(task);

	if (!thread)
		return;
	if (!thread->is_loop) {
		if (thread->origin == ORIGIN_TASK && !is_owner(thread, connection))
			clear_stamp(thread, ORIGIN_NONE);
		return;
	}
	if (!connection->owner_connection || connection->is_shared) {
		clear_stamp(thread, ORIGIN_WAITED);
		return;
	}
	resume_request(thread, connection->owner_connection, connection->owner_sequence);
}

/* Sockets of pairs (the standard streams of programs that Node.js starts), by address, and who waits for them. */
struct lent_socket {
	__u64 inode; /* an address is used again, an inode number is not so soon */
	__u64 connection;
	__u32 sequence;
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct lent_socket);
} lent_sockets SEC(".maps");

static __always_inline void lend_socket(struct task_struct *task, __u32 descriptor)
{
	struct unit_state *thread = running_unit(task);
	struct sock *sk = socket_of(task, descriptor);
	struct lent_socket lent = {};
	__u64 key = (__u64)sk;

	if (!thread || !thread->connection || !sk)
		return;
	lent.inode = inode_of(sk);
	lent.connection = thread->connection;
	lent.sequence = thread->sequence;
	bpf_map_update_elem(&lent_sockets, &key, &lent, BPF_ANY);
}

/* An event loop has read from a pair, or its end: it goes on with the request that had made it. */
static __always_inline int return_socket(struct unit_state *thread, struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct lent_socket *lent = bpf_map_lookup_elem(&lent_sockets, &key);

	if (!lent || lent->inode != inode_of(sk))
		return 0;
	resume_request(thread, lent->connection, lent->sequence);
	return 1;
}

/* An event loop has read something that belongs to no request that we know: a socket that we do not follow. */
static __always_inline void read_unknown(struct task_struct *task, struct sock *sk)
{
	struct unit_state *thread = running_unit(task);

	if (!thread || !thread->is_loop || (sk && return_socket(thread, sk)))
		return;
	if (thread->connection)
		clear_stamp(thread, ORIGIN_WAITED);
}

/*
 * Likewise a pipe or an event counter. Only what epoll watches counts: libuv takes bytes out of a pipe of its own while
 * it starts a program.
 */
static __always_inline void read_unknown_file(struct task_struct *task, __u32 descriptor)
{
	struct file *file = file_of(task, descriptor);
	__u16 type;

	if (!file)
		return;
	type = READ(file, f_inode, i_mode) & S_IFMT;
	if (type == S_IFREG || type == S_IFDIR)
		return;
	if (bpf_core_field_exists(file->f_ep) && !READ(file, f_ep))
		return;
	read_unknown(task, NULL);
}

/* The bound name of the other end tells a unix connection that was made from a pair that was never bound. */
static __always_inline int has_named_peer(struct sock *sk)
{
	struct sock *peer = READ((struct unix_sock *)sk, peer);

	return peer && READ((struct unix_sock *)peer, addr) != NULL;
}

/* A connection that was made before its process served anything, or before the agent came. */
static __always_inline struct connection_state *adopt_client(struct sock *sk)
{
	__u8 family = family_of(sk);
	__u16 port;

	if (family == FAMILY_NONE || READ(sk, sk_type) != SOCK_STREAM)
		return NULL;
	if (family == FAMILY_UNIX)
		return has_named_peer(sk) ? track_connection(sk, family, FLAG_CLIENT | FLAG_ADOPTED, 0) : NULL;
	if (READ(sk, __sk_common.skc_state) != TCP_ESTABLISHED)
		return NULL;
	port = READ(sk, __sk_common.skc_num);
	if (bpf_map_lookup_elem(&listening_ports, &port))
		return NULL;
	return track_connection(sk, family, FLAG_CLIENT | FLAG_ADOPTED, 0);
}

/*
 * A connection that was seen being made gets its name when its process, serving by now, first writes to it. Pools are
 * filled before the first request comes: their greetings have passed by then.
 */
static __always_inline struct connection_state *name_client(struct sock *sk, struct connection_state *known,
							    __u32 written)
{
	__u64 owner_connection = known->owner_connection;
	__u32 owner_sequence = known->owner_sequence;
	__u8 flags = known->bytes_in || known->bytes_out ? FLAG_CLIENT | FLAG_ADOPTED : FLAG_CLIENT;
	struct connection_state *connection = track_connection(sk, known->family, flags, written);

	if (connection) {
		connection->owner_connection = owner_connection;
		connection->owner_sequence = owner_sequence;
	}
	return connection;
}

#endif
