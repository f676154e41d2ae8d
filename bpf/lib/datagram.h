/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Questions of DNS over UDP that serving processes ask, and their answers. Told by the bytes and not by the port: of any
 * other datagram no more than a header's worth is looked at, and nothing is remembered of its socket. Each datagram is
 * a whole message, and an answer names its question by a number, so the request that asked is known even where many
 * share a socket.
 */
#ifndef THROUGHLINE_DATAGRAM_H
#define THROUGHLINE_DATAGRAM_H

#include "lib/socket.h"
#include "lib/stamp.h"
#include "lib/message.h"

#define DATAGRAM_LIMIT 4096
/* RFC 1035, 4.1.1; the shortest question behind it is the root's name, a type and a class. */
#define DNS_HEADER_SIZE 12
#define DNS_LEAST_SIZE 17
/* User space has its say on the first questions of a socket. */
#define DATAGRAMS_JUDGED 16

/* A UDP socket on which questions were asked. */
struct datagram_socket {
	__u64 id;
	__u64 inode; /* an address is used again, an inode number is not so soon */
	__u64 bytes_in;
	__u64 bytes_out;
	__u32 sequence;
	__u32 owner_pid;
	__u8 remote_address[16]; /* where the last question went */
	__u16 remote_port;
	__u8 remote_family;
	__u8 is_unread; /* user space says that it is something else */
	__u32 reserved;
};

/* No tracepoint tells the end of a UDP socket, so the oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct datagram_socket);
} datagram_sockets SEC(".maps");

/* Nobody asks anything this way yet: then nothing that is received is looked at. */
unsigned int has_datagram_sockets = 0;

struct question_key {
	__u64 socket; /* id of the datagram_socket */
	__u64 number; /* of the question, as it stands on the wire */
};

struct lent_question {
	__u64 connection;
	__u32 sequence;
	__u32 reserved;
};

/* Who waits for which answer. Questions that get none make room, oldest first. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct question_key);
	__type(value, struct lent_question);
} lent_questions SEC(".maps");

struct remote_endpoint {
	__u8 address[16];
	__u16 port;
	__u8 family;
	__u8 flags; /* enum event_flag */
};

/*
 * What is put together of a question: behind the event in the scratch buffer, where vectors are before and after. The
 * stacks of a program and of what it calls are 512 bytes together.
 */
struct question_draft {
	struct remote_endpoint remote;
	__u32 reserved;
	struct datagram_socket socket;
};

/* Flags of a question: no reply, query, notify or update, nothing set that is a server's; and at least one question. */
static __always_inline int is_dns_question(const __u8 *header)
{
	__u8 operation = (header[2] >> 3) & 0xf;

	return !(header[2] & 0x80) && (operation == 0 || operation == 4 || operation == 5) && !(header[3] & 0xcf) &&
	       header[4] == 0 && header[5] != 0;
}

static __always_inline int is_udp(struct sock *sk, __u8 family)
{
	return (family == FAMILY_IPV4 || family == FAMILY_IPV6) && READ(sk, sk_type) == SOCK_DGRAM;
}

/* Where a datagram goes: what the caller said, if anything, counts more than what the socket is connected to. */
static __always_inline int read_destination(struct sock *sk, __u8 family, unsigned long destination,
					    struct remote_endpoint *remote)
{
	__u8 local[16];
	__u16 said = AF_UNSPEC;

	if (!destination) {
		remote->family = family;
		read_addresses(sk, family, local, remote->address);
		remote->port = READ(sk, __sk_common.skc_dport);
	} else {
		long failed = bpf_probe_read_user(&said, sizeof(said), (void *)destination) |
			      bpf_probe_read_user(&remote->port, sizeof(remote->port), (void *)(destination + 2));

		remote->flags = FLAG_USER_MEMORY;
		if (said == AF_INET6) {
			remote->family = FAMILY_IPV6;
			failed |= bpf_probe_read_user(remote->address, 16, (void *)(destination + 8));
		} else {
			remote->family = FAMILY_IPV4;
			failed |= bpf_probe_read_user(remote->address, 4, (void *)(destination + 4));
		}
		if (failed) {
			count(COUNTER_UNREADABLE);
			return -1;
		}
	}
	remote->port = bpf_ntohs(remote->port);
	return remote->port ? 0 : -1;
}

static __always_inline int goes_elsewhere(const struct datagram_socket *socket, const struct remote_endpoint *remote)
{
	const __u64 *before = (const __u64 *)socket->remote_address, *now = (const __u64 *)remote->address;

	return socket->remote_port != remote->port || socket->remote_family != remote->family || before[0] != now[0] ||
	       before[1] != now[1];
}

static __always_inline struct datagram_socket *find_datagram_socket(struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct datagram_socket *socket = bpf_map_lookup_elem(&datagram_sockets, &key);

	return socket && socket->inode == inode_of(sk) ? socket : NULL;
}

/* Tells the socket as a connection to whoever is asked; asking somebody else is another connection. */
static __always_inline struct datagram_socket *track_datagrams(struct task_struct *task, struct sock *sk, __u8 family,
							       struct question_draft *draft)
{
	const struct remote_endpoint *remote = &draft->remote;
	struct datagram_socket *fresh = &draft->socket, *known;
	struct accept_event *event;
	__u64 key = (__u64)sk;

	known = bpf_map_lookup_elem(&datagram_sockets, &key);
	fresh->inode = inode_of(sk);
	if (known && known->inode == fresh->inode && !goes_elsewhere(known, remote))
		return known;
	if (known)
		submit_end(known->id, known->owner_pid, known->bytes_in, known->bytes_out);
	fresh->id = next_connection_id();
	fresh->owner_pid = task->tgid;
	fresh->remote_port = remote->port;
	fresh->remote_family = remote->family;
	__builtin_memcpy(fresh->remote_address, remote->address, sizeof(fresh->remote_address));
	if (bpf_map_update_elem(&datagram_sockets, &key, fresh, BPF_ANY)) {
		count(COUNTER_CONNECTIONS_FULL);
		return NULL;
	}
	has_datagram_sockets = 1;
	event = reserve_accept(task, fresh->id, remote->family, FLAG_CLIENT | remote->flags);
	if (event) {
		event->socket_type = SOCK_DGRAM;
		read_addresses(sk, family, event->local_address, event->remote_address);
		__builtin_memcpy(event->remote_address, remote->address, sizeof(event->remote_address));
		event->local_port = READ(sk, __sk_common.skc_num);
		event->remote_port = remote->port;
		submit_accept(event);
	}
	return bpf_map_lookup_elem(&datagram_sockets, &key);
}

/* Likewise with a number that somebody else's open question has: then nobody knows whose answer comes. */
static __always_inline void lend_question(struct task_struct *task, struct datagram_socket *socket, __u64 number)
{
	struct question_key key = { .socket = socket->id, .number = number };
	struct unit_state *thread = running_unit(task);
	struct lent_question *known = bpf_map_lookup_elem(&lent_questions, &key);
	struct lent_question lent = {};

	if (!thread || !thread->connection) {
		if (known)
			bpf_map_delete_elem(&lent_questions, &key);
		return;
	}
	if (!known || (known->connection == thread->connection && known->sequence == thread->sequence)) {
		lent.connection = thread->connection;
		lent.sequence = thread->sequence;
	}
	bpf_map_update_elem(&lent_questions, &key, &lent, BPF_ANY);
}

/*
 * An event loop goes on with the request that had asked. Some resolvers read all answers that are there before they
 * handle the first (c-ares), so a second one of the same socket, of another request and before the loop has waited,
 * leaves open who runs.
 */
static __always_inline void return_question(struct task_struct *task, struct sock *sk, struct datagram_socket *socket,
					    __u64 number)
{
	struct question_key key = { .socket = socket->id, .number = number };
	struct lent_question *lent = bpf_map_lookup_elem(&lent_questions, &key);
	struct unit_state *thread = running_unit(task);
	__u64 connection = 0;
	__u32 sequence = 0;

	if (lent) {
		connection = lent->connection;
		sequence = lent->sequence;
		bpf_map_delete_elem(&lent_questions, &key);
	}
	if (!thread || !thread->is_loop)
		return;
	if (!connection || (thread->socket == (__u64)sk &&
			    (thread->connection != connection || thread->sequence != sequence)))
		clear_stamp(thread, ORIGIN_WAITED);
	else
		resume_request(thread, connection, sequence);
	thread->socket = (__u64)sk;
}

static __always_inline void submit_datagram(struct scratch *scratch, struct datagram_socket *socket, __u64 stream_offset,
					    __u32 direction, __u32 length, __u32 captured)
{
	struct payload_event *event = (struct payload_event *)scratch->data;
	__u32 size = sizeof(*event) + captured;

	event->header.flags |= FLAG_CLIENT;
	fill_payload(event, socket->id, stream_offset, socket->sequence, direction, length, captured);
	BOUND(size, 0x7fff);
	submit_payload(event, size);
}

static __always_inline __u64 number_of(const struct scratch *scratch)
{
	const __u8 *message = &scratch->data[sizeof(struct payload_event)];

	return ((__u64)message[0] << 8) | message[1];
}

static __always_inline int tell_question(struct task_struct *task, struct sock *sk, __u8 family,
					 const struct transfer *transfer, struct scratch *scratch)
{
	struct payload_event *event = (struct payload_event *)scratch->data;
	struct question_draft *draft = (struct question_draft *)&scratch->data[VECTORS_OFFSET];
	struct datagram_socket *socket;
	__u8 flags = 0;
	__u32 captured;
	__u64 offset;

	captured = copy_bytes(scratch->data, transfer, DNS_HEADER_SIZE, &flags);
	if (flags & FLAG_UNREADABLE)
		count(COUNTER_UNREADABLE);
	if (captured < DNS_HEADER_SIZE || !is_dns_question(&scratch->data[sizeof(struct payload_event)]))
		return 0;
	__builtin_memset(draft, 0, sizeof(*draft));
	if (read_destination(sk, family, transfer->destination, &draft->remote))
		return 0;
	socket = track_datagrams(task, sk, family, draft);
	if (!socket || socket->is_unread)
		return 0;
	if (socket->sequence < DATAGRAMS_JUDGED) {
		__u64 id = socket->id;

		if (bpf_map_lookup_elem(&ignored_connections, &id)) {
			socket->is_unread = 1;
			return 0;
		}
	}
	socket->sequence++;
	offset = socket->bytes_out;
	socket->bytes_out += transfer->length;
	fill_header(&event->header, EVENT_PAYLOAD, task);
	captured = copy_bytes(scratch->data, transfer, DATAGRAM_LIMIT, &event->header.flags);
	lend_question(task, socket, number_of(scratch));
	submit_datagram(scratch, socket, offset, DIRECTION_OUT, transfer->length, captured);
	return 1;
}

/* Both are functions of their own, with plain numbers to them: the verifier goes through each once. */
__noinline int tell_sent(__u64 socket, __u64 address, __u64 destination, __u32 vector_count, __u32 length)
{
	const struct transfer transfer = {
		.address = address, .destination = destination, .vector_count = vector_count, .length = length
	};
	struct sock *sk = (struct sock *)socket;
	__u8 family = family_of(sk);
	struct scratch *scratch;
	int is_question;

	if (!is_udp(sk, family))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	is_question = tell_question(current_task(), sk, family, &transfer, scratch);
	scratch_release(scratch);
	return is_question;
}

__noinline int tell_received(__u64 key, __u64 address, __u32 vector_count, __u32 length, __u32 buffer_size)
{
	const struct transfer transfer = { .address = address, .vector_count = vector_count, .length = length };
	struct task_struct *task = current_task();
	struct sock *sk = (struct sock *)key;
	struct datagram_socket *socket = find_datagram_socket(sk);
	struct payload_event *event;
	struct scratch *scratch;
	__u32 captured, room = DATAGRAM_LIMIT;
	__u64 offset, number;

	if (!socket || socket->is_unread)
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	if (buffer_size && buffer_size < room)
		room = buffer_size;
	event = (struct payload_event *)scratch->data;
	fill_header(&event->header, EVENT_PAYLOAD, task);
	captured = copy_bytes(scratch->data, &transfer, room, &event->header.flags);
	number = number_of(scratch);
	offset = socket->bytes_in;
	socket->bytes_in += length;
	submit_datagram(scratch, socket, offset, DIRECTION_IN, length, captured);
	scratch_release(scratch);
	if (captured < DNS_HEADER_SIZE)
		return 0;
	return_question(task, sk, socket, number);
	return 1;
}

/* A serving process has sent something on a socket that is no connection. Returns whether it is a question. */
static __always_inline int datagram_sent(struct sock *sk, const struct transfer *transfer)
{
	if (transfer->length < DNS_LEAST_SIZE || !transfer->address)
		return 0;
	return tell_sent((__u64)sk, transfer->address, transfer->destination, transfer->vector_count, transfer->length);
}

/* Something was read from a socket that is no connection. Returns whether it is an answer that may have been asked for. */
static __always_inline int datagram_received(struct sock *sk, const struct transfer *transfer)
{
	if (!has_datagram_sockets)
		return 0;
	return tell_received((__u64)sk, transfer->address, transfer->vector_count, transfer->length,
			     transfer->buffer_size);
}

#endif
