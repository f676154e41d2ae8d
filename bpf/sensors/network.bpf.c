/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections: accepted, made, closed. */
#include "lib/socket.h"
#include "lib/stamp.h"
#include "lib/tls.h"
#include "lib/client.h"

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_accept, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	struct unit_state *thread = running_unit(task);
	struct sock *sk;
	__u8 family;

	/* A thread that asks for the next connection has finished with the last request. */
	if (thread)
		clear_stamp(thread, ORIGIN_NONE);
	if (result < 0)
		return 0;
	sk = socket_of(task, result);
	if (!sk)
		return 0;
	family = family_of(sk);
	if (family == FAMILY_NONE)
		return 0;
	/* What the agent asks a container runtime is nothing that it tells. */
	if (family == FAMILY_UNIX && (__u32)READ(sk, sk_peer_pid, numbers[0].nr) == agent_pid)
		return 0;
	track_connection(sk, family, 0, 0);
	return 0;
}

/* Takes the address from the caller's memory: right after the call, it could have been swapped by another thread. */
static __always_inline void read_user_address(struct connect_event *event, unsigned long address, unsigned int length)
{
	__u16 family = 0;

	event->header.flags |= FLAG_USER_MEMORY;
	if (bpf_probe_read_user(&family, sizeof(family), (void *)address))
		return;
	if (family == AF_INET) {
		event->family = FAMILY_IPV4;
		bpf_probe_read_user(&event->remote_port, 2, (void *)(address + 2));
		bpf_probe_read_user(event->remote_address, 4, (void *)(address + 4));
	} else if (family == AF_INET6) {
		event->family = FAMILY_IPV6;
		bpf_probe_read_user(&event->remote_port, 2, (void *)(address + 2));
		bpf_probe_read_user(event->remote_address, 16, (void *)(address + 8));
	} else if (family == AF_UNIX) {
		unsigned int size = length > 2 ? length - 2 : 0;

		event->family = FAMILY_UNIX;
		if (size > sizeof(event->path))
			size = sizeof(event->path);
		BOUND(size, 0x7f);
		if (size <= sizeof(event->path) &&
		    !bpf_probe_read_user(event->path, size, (void *)(address + 2)))
			event->path_size = size;
	}
	event->remote_port = bpf_ntohs(event->remote_port);
}

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
		bpf_map_update_elem(&tcp_connections, &key, &state, BPF_ANY);
}

static __always_inline void tell_connect(struct task_struct *task, struct sock *sk, __u8 family, struct pt_regs *regs,
					 long result, struct connect_event *event)
{
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_CONNECT, task);
	event->result = result;
	event->socket_type = READ(sk, sk_type);
	if (result != 0 && result != -EINPROGRESS) {
		/* The kernel forgets the address of a connection that failed. */
		read_user_address(event, ARG1(regs), ARG2(regs));
	} else if (family == FAMILY_UNIX) {
		struct sock *peer = READ((struct unix_sock *)sk, peer);

		event->family = family;
		if (peer)
			event->path_size = read_unix_path(peer, event->path);
		if (event->socket_type == SOCK_STREAM)
			remember_client(task, sk, family);
	} else {
		__u8 local[16];

		event->family = family;
		event->remote_port = bpf_ntohs(READ(sk, __sk_common.skc_dport));
		read_addresses(sk, family, local, event->remote_address);
		/* connect(AF_UNSPEC) dissolves the association of a datagram socket. */
		if (event->remote_port == 0)
			return;
		if (event->socket_type == SOCK_STREAM)
			remember_client(task, sk, family);
	}
	if (event->family != FAMILY_NONE)
		submit_within_budget(event, sizeof(*event), FREQUENT);
}

/* The event is put together in the scratch buffer: with what is remembered of the connection it is too much for a stack. */
SEC("tp_btf/sys_exit")
int BPF_PROG(exit_connect, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	struct sock *sk = socket_of(task, ARG0(regs));
	struct scratch *scratch;
	__u8 family;

	if (!sk || is_agent())
		return 0;
	family = family_of(sk);
	if (family == FAMILY_NONE)
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	tell_connect(task, sk, family, regs, result, (struct connect_event *)scratch->data);
	scratch_release(scratch);
	return 0;
}

/*
 * getsockopt(fd, SOL_SOCKET, SO_ERROR): how event loops learn that a connection which they had begun is there. They go on
 * with the request that had begun it. nginx asks this of a connection that it has kept, too, before it writes the next
 * question to it: that is no news of whoever had asked before.
 */
SEC("tp_btf/sys_exit")
int BPF_PROG(exit_getsockopt, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	struct connection_state *connection;
	struct sock *sk;

	if (result != 0 || ARG1(regs) != 1 || ARG2(regs) != 4)
		return 0;
	sk = socket_of(task, ARG0(regs));
	if (!sk)
		return 0;
	connection = find_connection((__u64)sk, family_of(sk));
	if (connection && is_client(connection) && connection->direction == DIRECTION_NONE)
		return_stamp(task, connection);
	return 0;
}

/* socketpair(domain, type, protocol, int[2]) */
SEC("tp_btf/sys_exit")
int BPF_PROG(exit_socketpair, struct pt_regs *regs, long result)
{
	int descriptors[2] = {};

	if (result != 0 || bpf_probe_read_user(descriptors, sizeof(descriptors), (void *)ARG3(regs)))
		return 0;
	lend_socket(current_task(), descriptors[0]);
	lend_socket(current_task(), descriptors[1]);
	return 0;
}

/* A client is remembered until its socket is gone: its end is still to be read by whoever waits for it. */
static __always_inline int belongs_to_client(__u64 key)
{
	struct connection_state *connection = bpf_map_lookup_elem(&tcp_connections, &key);

	return connection && is_client(connection);
}

static __always_inline void forget_connection(__u64 key)
{
	struct connection_state *connection = bpf_map_lookup_elem(&tcp_connections, &key);

	if (!connection)
		return;
	/* A client that never asked anything was never told. */
	if (connection->id)
		submit_close(connection);
	bpf_map_delete_elem(&tcp_connections, &key);
}

/*
 * A TCP socket leaves the established state: by our close (FIN_WAIT1, LAST_ACK) or by a reset (CLOSE). This may run in
 * a soft interrupt of somebody else's time slice, so the header names the connection's owner and no thread.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state, const struct sock *sk, int old_state, int new_state)
{
	__u64 key = (__u64)sk;
	__u16 port;

	if (new_state == TCP_LISTEN) {
		__u8 one = 1;

		port = sk->__sk_common.skc_num;
		bpf_map_update_elem(&listening_ports, &port, &one, BPF_ANY);
		maybe_listening[MARK_OF(port)] = 1;
		note_listener();
		return 0;
	}
	/* A connection that comes in begins as a copy of the socket that listens, so it leaves this state as well. */
	if (old_state == TCP_LISTEN && new_state == TCP_CLOSE) {
		/* Another socket may listen on the same port: then connections from before the agent stay unknown. */
		port = sk->__sk_common.skc_num;
		bpf_map_delete_elem(&listening_ports, &port);
		return 0;
	}
	if (new_state != TCP_FIN_WAIT1 && new_state != TCP_LAST_ACK && new_state != TCP_CLOSE)
		return 0;
	if (!belongs_to_client(key))
		forget_connection(key);
	return 0;
}

/* A socket that was reset before it was accepted is closed already when we meet it: only its end is left to see. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(socket_destroyed, struct sock *sk)
{
	forget_connection((__u64)sk);
	return 0;
}
