/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes on accepted connections: the first 8 KiB of each inbound message and the first 1 KiB of each reply. A message
 * ends where the direction turns. Reading the first bytes of a message stamps the thread with it.
 */
#include "lib/question.h"
#include "lib/remote.h"
#include "lib/report.h"
#include "lib/syscall-exit.h"
#include "lib/tls.h"

/* Connections that were open before the agent came are taken up at their next message. */
static __always_inline struct connection_state *adopt(struct sock *sk, __u8 family)
{
	__u16 port;
	__u8 state;

	if (family == FAMILY_NONE)
		return NULL;
	/* First what tells most of them: a client's port is none that somebody listens on. */
	port = READ(sk, __sk_common.skc_num);
	if (!bpf_map_lookup_elem(&listening_ports, &port))
		return NULL;
	state = READ(sk, __sk_common.skc_state);
	if ((state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT) || READ(sk, sk_type) != SOCK_STREAM)
		return NULL;
	return track_connection(sk, family, FLAG_ADOPTED, 0);
}

static __always_inline struct connection_state *connection_of(struct sock *sk, int may_adopt)
{
	__u64 key = (__u64)sk;
	struct connection_state *connection = find_tcp(key);
	__u8 family;

	/* No need to ask for the family: a TCP connection is forgotten before its socket's memory is used again. */
	if (connection)
		return connection;
	family = family_of(sk);
	if (family != FAMILY_UNIX)
		return may_adopt ? adopt(sk, family) : NULL;
	connection = bpf_map_lookup_elem(&unix_connections, &key);
	/* A unix socket's memory is reused without notice: its inode number is not. */
	return connection && connection->inode == inode_of(sk) ? connection : NULL;
}

/* User space has said that nobody reads this protocol. Looked up only for the first messages of a connection. */
static __noinline int was_ignored(struct connection_state *connection, __u32 pid)
{
	__u64 id = connection->id;

	if (!bpf_map_lookup_elem(&ignored_connections, &id))
		return 0;
	connection->mode = MODE_IGNORE;
	unmark_serving(pid, id);
	return 1;
}

static __always_inline int is_ignored(struct connection_state *connection, __u32 pid)
{
	return connection->sequence <= 16 && was_ignored(connection, pid);
}

/* Of a TLS connection only the client's greeting is told: what it says of itself stands there. */
static __noinline void ciphertext_in(struct task_struct *task, struct sock *sk, struct connection_state *connection,
					  const struct transfer *transfer)
{
	__u64 offset = connection->bytes_in;
	unsigned int room;

	note_transfer(task, sk, DIRECTION_IN, 1);
	leave_other_request(task, connection);
	if (connection->tls_stage != TLS_GREETING)
		return;
	connection->bytes_in += transfer->length;
	room = connection->message_captured < INBOUND_LIMIT ? INBOUND_LIMIT - connection->message_captured : 0;
	if (room)
		report(task, connection, offset, transfer, room);
}

static __always_inline void ciphertext_out(struct task_struct *task, struct sock *sk, struct connection_state *connection)
{
	note_transfer(task, sk, DIRECTION_OUT, 0);
	if (connection && connection->mode == MODE_TLS && connection->tls_stage == TLS_GREETING)
		connection->tls_stage = TLS_QUIET;
}

/* The first bytes of a message turned out to be none of a request that is read. */
static __always_inline int is_no_request(struct task_struct *task, struct sock *sk, struct connection_state *connection,
					 const struct transfer *transfer, int record_type)
{
	if (unlikely(record_type)) {
		turn_to_tls(connection, record_type);
		ciphertext_in(task, sk, connection, transfer);
		return 1;
	}
	if (!is_ignored(connection, task->tgid))
		return 0;
	forget_stamp(task);
	return 1;
}

static __always_inline void begin_request(struct connection_state *connection, const struct transfer *transfer)
{
	begin_inbound(connection);
	connection->bytes_in += transfer->length;
}

/* A message begins that there is no room to tell of. */
static __noinline void first_bytes_untold(struct task_struct *task, struct sock *sk, struct connection_state *connection,
					       const struct transfer *transfer)
{
	if (is_no_request(task, sk, connection, transfer, 0))
		return;
	begin_request(connection, transfer);
	stamp_running(task, connection, (__u64)sk);
}

/*
 * A message begins. Its first bytes are copied once: they tell whether this is TLS, and are told if not, before the stamp
 * changes: the header shows what the unit served until now.
 */
static __noinline void first_bytes_by_copy(struct task_struct *task, struct sock *sk,
						struct connection_state *connection, const struct transfer *transfer)
{
	struct scratch *scratch = scratch_acquire();
	struct unit_state *state;
	unsigned int captured;
	__u64 offset, unit;
	__u8 flags = 0;
	int type = 0;

	if (!scratch) {
		first_bytes_untold(task, sk, connection, transfer);
		return;
	}
	captured = copy_bytes(scratch->data, transfer, INBOUND_LIMIT, &flags);
	if (tls_attached)
		type = tls_record_type(scratch->data + sizeof(struct payload_event), captured);
	/* What follows may want it. */
	if (type)
		scratch_release(scratch);
	if (is_no_request(task, sk, connection, transfer, type)) {
		if (!type)
			scratch_release(scratch);
		return;
	}
	offset = connection->bytes_in;
	begin_request(connection, transfer);
	unit = unit_of(task);
	state = state_of(task, unit);
	fill_header_of(&((struct payload_event *)scratch->data)->header, EVENT_PAYLOAD, task, unit, state);
	report_copied(connection, offset, transfer->length, scratch, captured, flags);
	scratch_release(scratch);
	stamp_unit(task, unit, state, connection, (__u64)sk);
}

static __noinline void more_bytes_in(struct task_struct *task, struct sock *sk, struct connection_state *connection,
					  const struct transfer *transfer)
{
	__u64 offset = connection->bytes_in;
	unsigned int room =
		connection->message_captured < INBOUND_LIMIT ? INBOUND_LIMIT - connection->message_captured : 0;

	connection->bytes_in += transfer->length;
	if (room || !connection->writes)
		report(task, connection, offset, transfer, room);
	/* That a message is longer than what is captured is told once, when it happens: a head may be cut there. */
	if (!room)
		connection->writes = 1;
	stamp_running(task, connection, (__u64)sk);
}

/*
 * Bytes of a message of an accepted connection, most of what a busy server costs. The two directions go through the same code
 * wherever they can: where one program serves both, the reply finds in the processor's cache what the request has brought there.
 */
static __always_inline void tell_message(struct task_struct *task, struct sock *sk, struct connection_state *connection,
					 const struct transfer *transfer, int direction)
{
	__u32 captured, room = INBOUND_LIMIT, length = transfer->length;
	struct payload_event *event;
	struct unit_state *state;
	__u64 offset, unit;
	__u8 flags = 0;
	int type = 0;

	if (direction == DIRECTION_OUT) {
		offset = connection->bytes_out;
		if (!count_reply(connection, length, transfer->address != 0, &room))
			return;
		if (may_have_runtime(task->tgid) && goroutines_run())
			flags |= FLAG_MADE_RUN;
	} else if (unlikely(connection->direction == DIRECTION_IN)) {
		more_bytes_in(task, sk, connection, transfer);
		return;
	}
	captured = length < room ? length : room;
	if (unlikely(transfer->vector_count || captured > LARGE_MESSAGE)) {
		if (direction == DIRECTION_OUT)
			report_by_copy(connection, offset, transfer, room, flags);
		else
			first_bytes_by_copy(task, sk, connection, transfer);
		return;
	}
	event = begin_fitting_message(transfer->address, &captured, &flags);
	/* Asked once: the verifier of Linux 6.1 believes no second answer. */
	if (unlikely(!event)) {
		if (direction == DIRECTION_IN)
			first_bytes_untold(task, sk, connection, transfer);
		return;
	}
	if (direction == DIRECTION_IN) {
		if (tls_attached)
			type = tls_record_type((__u8 *)event + sizeof(*event), captured);
		if (unlikely(is_no_request(task, sk, connection, transfer, type))) {
			discard_message(event);
			return;
		}
		offset = connection->bytes_in;
		begin_request(connection, transfer);
	}
	unit = unit_of(task);
	state = state_of(task, unit);
	fill_header_of(&event->header, EVENT_PAYLOAD, task, unit, state);
	fill_payload(event, connection->id, offset, connection->sequence, direction, length, captured);
	connection->message_captured += captured;
	submit_message(event, flags);
	/* Not before: the header shows what the unit served until now. */
	if (direction == DIRECTION_IN)
		stamp_unit(task, unit, state, connection, (__u64)sk);
}

/*
 * Whatever is no plain message on an accepted TCP connection: unix sockets, what the process asks others, TLS, datagrams, sockets of
 * no interest. Functions of their own, with plain numbers to them: the common case stays small.
 */
enum otherwise {
	OTHERWISE_DONE,
	OTHERWISE_REMOTE,  /* the remote, if there is one, was not told yet */
	OTHERWISE_MESSAGE, /* of an accepted connection all the same: the caller goes on with it */
};

__noinline int receive_otherwise(__u64 socket, __u64 address, __u32 vector_count, __u32 length, __u32 buffer_size)
{
	const struct transfer transfer = {
		.address = address, .vector_count = vector_count, .length = length, .buffer_size = buffer_size
	};
	struct task_struct *task = current_task();
	struct sock *sk = (struct sock *)socket;
	struct connection_state *connection = connection_of(sk, 1);

	if (!connection || is_client(connection)) {
		note_transfer(task, sk, DIRECTION_IN, 0);
		if (connection)
			answer(task, connection, &transfer);
		else if (!datagram_received(sk, &transfer)) {
			read_unknown(task, sk);
			return OTHERWISE_REMOTE;
		}
		return OTHERWISE_DONE;
	}
	if (connection->mode == MODE_IGNORE && tls_attached) {
		int type = tls_record_type_at(address, vector_count, length);

		if (type)
			turn_to_tls(connection, type);
	}
	if (connection->mode == MODE_TLS)
		ciphertext_in(task, sk, connection, &transfer);
	else if (connection->mode == MODE_IGNORE)
		forget_stamp(task);
	else
		return OTHERWISE_MESSAGE;
	return OTHERWISE_DONE;
}

__noinline int send_otherwise(__u64 socket, __u64 address, __u64 destination, __u32 vector_count, __u32 length)
{
	const struct transfer transfer = {
		.address = address, .destination = destination, .vector_count = vector_count, .length = length
	};
	struct task_struct *task = current_task();
	struct sock *sk = (struct sock *)socket;
	struct connection_state *connection = connection_of(sk, 0);

	if (!connection || connection->mode != MODE_CAPTURE) {
		ciphertext_out(task, sk, connection);
		return question(task, sk, connection, &transfer) ? OTHERWISE_REMOTE : OTHERWISE_DONE;
	}
	return OTHERWISE_MESSAGE;
}

/*
 * What most transfers of most processes are: over TCP, by a process that serves nobody and calls no TLS library, and not on a
 * connection that came in before the agent did.
 */
static __always_inline int is_of_no_interest(struct task_struct *task, struct sock *sk, int direction)
{
	__u16 family = READ(sk, __sk_common.skc_family);

	return serves_nobody(task->tgid) && (family == AF_INET || family == AF_INET6) && READ(sk, sk_type) == SOCK_STREAM &&
	       is_outside_tls(task) &&
	       (direction == DIRECTION_OUT || !maybe_listening[MARK_OF(READ(sk, __sk_common.skc_num))]);
}

/* The bytes have passed between the caller's memory and this descriptor. */
static __always_inline int transferred(unsigned int descriptor, struct transfer *transfer, long result, int direction)
{
	struct task_struct *task = current_task();
	struct sock *sk = socket_of(task, descriptor);
	struct connection_state *connection;
	struct connection_slot *slot;
	__u64 key = (__u64)sk;
	int otherwise;

	forget_way(transfer);
	transfer->length = result > 0x7fffffff ? 0x7fffffff : (unsigned int)result;
	if (!sk) {
		if (direction == DIRECTION_IN)
			read_unknown_file(task, descriptor);
		return 0;
	}
	slot = slot_of(key);
	connection = likely(slot && slot->socket == key) ? &slot->state : NULL;
	if (unlikely(!connection || connection->mode != MODE_CAPTURE)) {
		if (!connection && slot && !slot->has_more && is_of_no_interest(task, sk, direction))
			return 0;
		otherwise = direction == DIRECTION_IN ?
				    receive_otherwise(key, transfer->address, transfer->vector_count, transfer->length,
						      transfer->buffer_size) :
				    send_otherwise(key, transfer->address, transfer->destination, transfer->vector_count,
						   transfer->length);
		if (otherwise == OTHERWISE_REMOTE)
			remote_seen(sk, transfer, direction);
		if (otherwise != OTHERWISE_MESSAGE)
			return 0;
		connection = find_connection(key, family_of(sk));
		if (!connection)
			return 0;
	}
	tell_message(task, sk, connection, transfer, direction);
	return 0;
}

/*
 * The client has closed a unix connection. Nothing else tells the end of one, so one that the server closes first stays
 * remembered until its place is needed. TCP connections have a tracepoint.
 */
__noinline int ended(__u32 descriptor)
{
	struct task_struct *task = current_task();
	struct sock *sk = socket_of(task, descriptor);
	struct connection_state *connection;
	__u64 key = (__u64)sk;

	if (!sk) {
		read_unknown_file(task, descriptor);
		return 0;
	}
	connection = find_connection(key, family_of(sk));
	/* Whoever waited for a client's end goes on; what follows the end of an accepted one is of nobody in work. */
	if (connection && is_client(connection))
		return_stamp(task, connection);
	else
		read_unknown(task, connection ? NULL : sk);
	if (!connection || family_of(sk) != FAMILY_UNIX || connection->inode != inode_of(sk))
		return 0;
	submit_close(connection);
	bpf_map_delete_elem(&unix_connections, &key);
	return 0;
}

/* A connection that was reset: whoever waits for it goes on as at its end. */
static __always_inline int has_failed(long result)
{
	return result < 0 && result != -EAGAIN && result != -EINTR;
}

/* What a struct msghdr in the caller's memory says. A function of its own, for its room on the stack. */
static __noinline int read_msghdr(unsigned long address, struct transfer *transfer)
{
	struct user_msghdr message = {};

	if (bpf_probe_read_user(&message, sizeof(message), (void *)address) || message.iov_count == 0)
		return -1;
	transfer->address = message.iov;
	transfer->vector_count = message.iov_count;
	transfer->destination = message.name;
	transfer->destination_length = message.name_length;
	return 0;
}

/*
 * Fills in where the bytes of a call are. One program serves all calls of a direction, and tells them apart by their number:
 * the verifier goes through what follows once, and less code has to stay in the processor's cache.
 */
static __always_inline int find_bytes(struct pt_regs *regs, struct transfer *transfer)
{
	switch (SYSCALL_NUMBER(regs)) {
	case SYS_readv: /* (fd, vectors, count, ...) */
	case SYS_writev:
		transfer->address = ARG1(regs);
		transfer->vector_count = ARG2(regs);
		return 0;
	case SYS_recvmsg: /* (fd, struct msghdr *, flags) */
	case SYS_sendmsg:
		return read_msghdr(ARG1(regs), transfer);
	case SYS_sendfile: /* (out, in, ...): the bytes never pass through user memory, so they are counted only. */
		return 0;
	case SYS_recvfrom: /* (fd, buffer, size, flags, struct sockaddr *, int *) */
		transfer->destination = ARG4(regs);
		bpf_probe_read_user(&transfer->destination_length, sizeof(transfer->destination_length),
				    (void *)ARG5(regs));
		transfer->address = ARG1(regs);
		transfer->buffer_size = ARG2(regs);
		return 0;
	case SYS_sendto: /* (fd, buffer, size, flags, struct sockaddr *, int) */
		transfer->destination = ARG4(regs);
		transfer->destination_length = ARG5(regs);
		/* fallthrough */
	default: /* (fd, buffer, size, ...) */
		transfer->address = ARG1(regs);
		transfer->buffer_size = ARG2(regs);
		return 0;
	}
}

/* The bytes stay where they are, and will be received once more. */
static __always_inline int is_peek(struct pt_regs *regs)
{
	switch (SYSCALL_NUMBER(regs)) {
	case SYS_recvfrom:
		return ARG3(regs) & MSG_PEEK;
	case SYS_recvmsg:
		return ARG2(regs) & MSG_PEEK;
	default:
		return 0;
	}
}

/* Whoever asks for no bytes gets none, and that tells nothing. */
static __always_inline int asks_for_nothing(struct pt_regs *regs)
{
	int number = SYSCALL_NUMBER(regs);

	return (number == SYS_read || number == SYS_recvfrom) && ARG2(regs) == 0;
}

static __always_inline int transfer_ended(struct pt_regs *regs, long result, int direction)
{
	struct transfer transfer = {};

	if (direction == DIRECTION_IN) {
		if (is_peek(regs))
			return 0;
		if (result <= 0)
			return has_failed(result) || (result == 0 && !asks_for_nothing(regs)) ? ended(ARG0(regs)) : 0;
	}
	if (result <= 0 || find_bytes(regs, &transfer))
		return 0;
	return transferred(ARG0(regs), &transfer, result, direction);
}

static __always_inline int direction_of(struct pt_regs *regs)
{
	switch (SYSCALL_NUMBER(regs)) {
	case SYS_write:
	case SYS_sendto:
	case SYS_writev:
	case SYS_sendmsg:
	case SYS_sendfile:
		return DIRECTION_OUT;
	default:
		return DIRECTION_IN;
	}
}

/*
 * One program for both directions, so that what the processor has of it in its caches serves twice for each request: a tenth of a
 * microsecond less. Older verifiers take too long over it: where they do, each direction has its own (src/kernel/plan.ts).
 */
SEC("exit")
int SYSCALL_EXIT(exit_transfer, struct pt_regs *regs, long result)
{
	return transfer_ended(regs, result, direction_of(regs));
}

SEC("exit")
int SYSCALL_EXIT(exit_receive, struct pt_regs *regs, long result)
{
	return transfer_ended(regs, result, DIRECTION_IN);
}

SEC("exit")
int SYSCALL_EXIT(exit_send, struct pt_regs *regs, long result)
{
	return transfer_ended(regs, result, DIRECTION_OUT);
}
