/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections: accepted, made, closed. */
#include "lib/connected.h"
#include "lib/tls.h"
#include "lib/syscall-exit.h"

/* What the agent asks a container runtime is nothing that it tells. */
static __always_inline int is_agent_peer(struct sock *sk, __u8 family)
{
	return family == FAMILY_UNIX && (__u32)READ(sk, sk_peer_pid, numbers[0].nr) == agent_pid;
}

SEC("exit")
int SYSCALL_EXIT(exit_accept, struct pt_regs *regs, long result)
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
	if (family == FAMILY_NONE || is_agent_peer(sk, family))
		return 0;
	track_accepted(sk, family, result);
	return 0;
}

SEC("exit")
int SYSCALL_EXIT(exit_connect, struct pt_regs *regs, long result)
{
	return tell_connect(result, ARG0(regs), ARG1(regs), ARG2(regs), REMEMBERED);
}

/*
 * getsockopt(fd, SOL_SOCKET, SO_ERROR): how event loops learn that a connection which they had begun is there. They go on
 * with the request that had begun it. nginx asks this of a connection that it has kept, too, before it writes the next
 * question to it: that is no news of whoever had asked before.
 */
SEC("exit")
int SYSCALL_EXIT(exit_getsockopt, struct pt_regs *regs, long result)
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
SEC("exit")
int SYSCALL_EXIT(exit_socketpair, struct pt_regs *regs, long result)
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
	struct connection_state *connection = find_tcp(key);

	return connection && is_client(connection);
}

static __always_inline void forget_connection(__u64 key)
{
	struct connection_state *connection = find_tcp(key);

	if (!connection)
		return;
	/* A client that never asked anything was never told. */
	if (connection->id)
		submit_close(connection);
	forget_tcp(key);
}

/*
 * A TCP socket leaves the established state: by our close (FIN_WAIT1, LAST_ACK) or by a reset (CLOSE). This may run in
 * a soft interrupt of somebody else's time slice, so the header names the connection's owner and no thread.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state, const struct sock *sk, int old_state, int new_state)
{
	__u64 key;
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
	key = address_of(sk);
	if (!belongs_to_client(key))
		forget_connection(key);
	return 0;
}

/* A socket that was reset before it was accepted is closed already when we meet it: only its end is left to see. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(socket_destroyed, struct sock *sk)
{
	forget_connection(address_of(sk));
	return 0;
}
