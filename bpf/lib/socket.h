/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a descriptor to the kernel's socket, and what we remember of accepted connections. */
#ifndef THROUGHLINE_SOCKET_H
#define THROUGHLINE_SOCKET_H

#include "lib/connection.h"
#include "lib/event.h"

static __always_inline struct file *file_of(struct task_struct *task, __u32 descriptor)
{
	struct fdtable *table = DISTRUST(task)->files->fdt;
	struct file **slots = table->fd;

	if (descriptor >= table->max_fds)
		return NULL;
	return READ_ELEMENT(slots, descriptor);
}

/* The socket of a file, or NULL when it has none. A socket is told by its pointer back to the file. */
static __always_inline struct sock *socket_of_file(struct file *file)
{
	struct socket *socket = READ(file, private_data);

	return socket && READ(socket, file) == file ? READ(socket, sk) : NULL;
}

/* The socket behind a descriptor, or NULL when it is none. */
static __always_inline struct sock *socket_of(struct task_struct *task, __u32 descriptor)
{
	struct file *file = file_of(task, descriptor);

	return file ? socket_of_file(file) : NULL;
}

static __always_inline __u8 family_of(struct sock *sk)
{
	switch (READ(sk, __sk_common.skc_family)) {
	case AF_INET:
		return FAMILY_IPV4;
	case AF_INET6:
		return FAMILY_IPV6;
	case AF_UNIX:
		return FAMILY_UNIX;
	default:
		return FAMILY_NONE;
	}
}

static __always_inline __u64 inode_of(struct sock *sk)
{
	return READ(sk, sk_socket, file, f_inode, i_ino);
}

static __always_inline void read_addresses(struct sock *sk, __u8 family, __u8 *local, __u8 *remote)
{
	if (family == FAMILY_IPV4) {
		bpf_core_read(local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(remote, 4, &sk->__sk_common.skc_daddr);
	} else if (family == FAMILY_IPV6) {
		bpf_core_read(local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

/* Path of a bound unix socket into 108 bytes; returns its size, 0 for an unnamed one. */
static __always_inline __u32 read_unix_path(struct sock *sk, char *path)
{
	struct unix_address *address = READ((struct unix_sock *)sk, addr);
	int size;

	if (!address)
		return 0;
	size = READ(address, len) - 2;
	if (size <= 0)
		return 0;
	if (size > 108)
		size = 108;
	BOUND(size, 0x7f);
	if (size > 108)
		return 0;
	if (bpf_probe_read_kernel(path, size, address->name[0].sun_path))
		return 0;
	return size;
}

/*
 * Ids are unique while the programs are loaded: a count for each processor, then the processor. They stay below 2^53,
 * so that user space can hold them in a plain number.
 */
static volatile unsigned long long connection_counts[COUNTER_CPUS] = {};

#define COUNT_ATTEMPTS 4

/*
 * Where the kernel may interrupt a program for another one on the same processor, both may count at once. A count that goes up by
 * one while this program adds one is its own; an addition that returns the count would need Linux 5.12.
 */
static __always_inline __u64 next_connection_id(void)
{
	__u32 cpu = bpf_get_smp_processor_id() & (COUNTER_CPUS - 1), attempt;
	unsigned long long before, count = 0;

	for (attempt = 0; attempt < COUNT_ATTEMPTS; attempt++) {
		before = connection_counts[cpu];
		__sync_fetch_and_add(&connection_counts[cpu], 1);
		count = connection_counts[cpu];
		if (count == before + 1)
			break;
	}
	return (count << 8) | cpu;
}

/* The process made the connection, whether its protocol is read or not. */
static __always_inline int is_client(struct connection_state *connection)
{
	return connection->mode == MODE_CLIENT || connection->mode == MODE_CLIENT_UNREAD;
}

/* Room for the event that tells a connection, written where it stands: some callers have no room for it on their stack. */
static __always_inline struct accept_event *reserve_accept(struct task_struct *task, __u64 id, __u8 family, __u8 flags)
{
	struct accept_event *event = bpf_ringbuf_reserve(&security_ring, sizeof(*event), 0);

	if (!event) {
		count(COUNTER_LOST_SECURITY);
		return NULL;
	}
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_ACCEPT, task);
	event->header.flags = flags;
	event->header.size = sizeof(*event);
	event->connection = id;
	event->family = family;
	return event;
}

static __always_inline void submit_accept(struct accept_event *event)
{
	bpf_ringbuf_submit(event, wake_flags_reserved(&security_ring, SECURITY_WAKE_BYTES));
	count(COUNTER_EVENTS);
}

/*
 * By what the two ends of a connection within this host are told to be one: unix sockets point to each other, and both
 * ends of a TCP connection count from the same random number. It is read where no byte has passed but the `written` ones,
 * and the two counters are moved by the program's own calls alone.
 */
static __always_inline void read_identity(struct accept_event *event, struct sock *sk, __u8 flags, __u32 written)
{
	struct sock *peer;

	if (event->family == FAMILY_UNIX) {
		event->inode = inode_of(sk);
		peer = READ((struct unix_sock *)sk, peer);
		event->peer_inode = peer ? inode_of(peer) : 0;
		return;
	}
	event->network_namespace = READ(sk, __sk_common.skc_net.net, ns.inum);
	if (flags & FLAG_ADOPTED)
		return;
	event->start_sequence = flags & FLAG_CLIENT ? READ((struct tcp_sock *)sk, write_seq) - written :
						      READ((struct tcp_sock *)sk, copied_seq);
}

/*
 * Remembers a connection and tells user space, as track_connection() says: a function of its own, with a stack of its own,
 * that the verifier goes through once.
 */
__noinline int remember_connection(__u64 key, __u32 family, __u32 flags, __u32 written, __u32 descriptor)
{
	struct task_struct *task = current_task();
	struct sock *sk = (struct sock *)key;
	struct connection_state state = {};
	struct accept_event *event;

	state.id = next_connection_id();
	state.family = family;
	state.owner_pid = task->tgid;
	state.mode = flags & FLAG_CLIENT ? MODE_CLIENT : MODE_CAPTURE;
	state.inode = inode_of(sk);
	if (put_connection(key, family, &state)) {
		count(COUNTER_CONNECTIONS_FULL);
		return 0;
	}
	event = reserve_accept(task, state.id, family, flags);
	if (!event)
		return 1;
	event->descriptor = descriptor;
	if (family == FAMILY_UNIX) {
		event->path_size = read_unix_path(sk, event->path);
	} else {
		read_addresses(sk, family, event->local_address, event->remote_address);
		event->local_port = READ(sk, __sk_common.skc_num);
		event->remote_port = bpf_ntohs(READ(sk, __sk_common.skc_dport));
	}
	read_identity(event, sk, flags, written);
	submit_accept(event);
	return 1;
}

/*
 * Remembers a connection of the current task and tells user space. Returns its state, or NULL when there is no room.
 * `written` bytes were written already, to a connection that was made.
 */
static __always_inline struct connection_state *track_connection(struct sock *sk, __u8 family, __u8 flags, __u32 written)
{
	__u64 key = (__u64)sk;

	return remember_connection(key, family, flags, written, 0) ? find_connection(key, family) : NULL;
}

/* The same of one that was accepted just now, as this descriptor. */
static __always_inline void track_accepted(struct sock *sk, __u8 family, __u32 descriptor)
{
	remember_connection((__u64)sk, family, 0, 0, descriptor + 1);
}

/* Tells user space that a connection is over. The header names its owner and no thread: see the callers. */
static __always_inline void submit_end(__u64 id, __u32 pid, __u64 bytes_in, __u64 bytes_out)
{
	struct close_event *event = bpf_ringbuf_reserve(&security_ring, sizeof(*event), 0);

	if (!event) {
		count(COUNTER_LOST_SECURITY);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->header.size = sizeof(*event);
	event->header.kind = EVENT_CLOSE;
	event->header.version = ABI_VERSION;
	event->header.time_ns = bpf_ktime_get_boot_ns();
	event->header.pid = pid;
	event->header.tid = pid;
	event->header.unit = pid;
	event->header.cpu = bpf_get_smp_processor_id();
	event->connection = id;
	event->bytes_in = bytes_in;
	event->bytes_out = bytes_out;
	bpf_ringbuf_submit(event, wake_flags_reserved(&security_ring, SECURITY_WAKE_BYTES));
	count(COUNTER_EVENTS);
}

static __always_inline void submit_close(struct connection_state *connection)
{
	submit_end(connection->id, connection->owner_pid, connection->bytes_in, connection->bytes_out);
}

#endif
