/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections that are made: their event, whichever way they were asked for. */
#ifndef THROUGHLINE_CONNECTED_H
#define THROUGHLINE_CONNECTED_H

#include "lib/client.h"
#include "lib/remote.h"

/* Remembered so that transfers on it leave early. It is no loss when there is no room: they leave later then. */
static __always_inline void remember_client(struct task_struct *task, struct sock *sk, __u8 family)
{
	struct connection_state state = { .mode = MODE_CLIENT, .family = family };
	__u64 key = (__u64)sk;
	struct connection_state *known = find_connection(key, family);

	/* Asked a second time whether the connection is there. */
	if (known && known->id && known->inode == inode_of(sk))
		return;
	lend_stamp(task, &state);
	/* Who serves a request waits for the connection from now on. */
	if (is_serving(task->tgid))
		name_client(sk, &state, 0);
	else if (family != FAMILY_UNIX)
		put_tcp(key, &state);
}

/* Begins the event in the scratch buffer that the caller holds; `sk` may be NULL. */
static __always_inline struct connect_event *begin_connect(struct scratch *scratch, struct task_struct *task, long result,
							   struct sock *sk)
{
	struct connect_event *event = (struct connect_event *)scratch->data;

	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_CONNECT, task);
	event->result = result;
	event->socket_type = sk ? READ(sk, sk_type) : 0;
	return event;
}

/* The remote as it was passed. In the caller's memory it could have been swapped by another thread. */
static __always_inline void name_asked(struct connect_event *event, const struct remote_name *name)
{
	if (!name->is_in_kernel)
		event->header.flags |= FLAG_USER_MEMORY;
	event->family = read_remote(name, event->remote_address, &event->remote_port, event->path, &event->path_size);
}

/* Both ends as the socket has them. Returns 0 where it has none: connect(AF_UNSPEC) dissolves the association of a datagram socket. */
static __always_inline int name_connected(struct connect_event *event, struct sock *sk, __u8 family)
{
	event->family = family;
	if (family == FAMILY_UNIX) {
		struct sock *peer = READ((struct unix_sock *)sk, peer);

		if (peer)
			event->path_size = read_unix_path(peer, event->path);
		return 1;
	}
	event->remote_port = bpf_ntohs(READ(sk, __sk_common.skc_dport));
	event->local_port = READ(sk, __sk_common.skc_num);
	read_addresses(sk, family, event->local_address, event->remote_address);
	return event->remote_port != 0;
}

/* Whether to remember a stream, for what the process does with it: of processes whose transfers are seen. */
enum remembering { NOT_REMEMBERED, REMEMBERED };

/* Returns 0 where there is nothing to tell. */
static __always_inline int fill_connect(struct connect_event *event, struct task_struct *task, struct sock *sk,
					const struct remote_name *name, enum remembering remembering)
{
	__u8 family = family_of(sk);

	/* The kernel forgets the address of a connection that failed. */
	if (event->result != 0 && event->result != -EINPROGRESS) {
		name_asked(event, name);
		return event->family != FAMILY_NONE;
	}
	if (!name_connected(event, sk, family))
		return 0;
	if (remembering == REMEMBERED && event->socket_type == SOCK_STREAM)
		remember_client(task, sk, family);
	return 1;
}

/*
 * Tells the connection that a system call was asked for. The event is put together in the scratch buffer: with what is
 * remembered of the connection it is too much for a stack.
 */
static __always_inline int tell_connect(long result, __u32 descriptor, __u64 address, __u32 length,
					enum remembering remembering)
{
	const struct remote_name name = { .address = address, .length = length };
	struct task_struct *task = current_task();
	struct sock *sk = socket_of(task, descriptor);
	struct connect_event *event;
	struct scratch *scratch;

	if (!sk || is_agent() || family_of(sk) == FAMILY_NONE)
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = begin_connect(scratch, task, result, sk);
	event->descriptor = descriptor + 1;
	if (fill_connect(event, task, sk, &name, remembering))
		submit_within_budget(event, sizeof(*event), BUDGET_NETWORK);
	scratch_release(scratch);
	return 0;
}

#endif
