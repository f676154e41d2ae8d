/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plaintext of TLS connections, where it passes through the functions of a library: SSL_read, SSL_write and their
 * relatives. User space finds the libraries and attaches these programs (src/kernel/uprobes/). From here on a
 * connection is like a plain one, with the plaintext as its bytes: messages, limits, stamps.
 *
 * These programs may be preempted, so they do not use the processor's scratch buffer: events are written in the ring.
 */
#include "lib/tls.h"
#include "lib/plaintext.h"
#include "lib/function.h"

struct tls_session {
	__u64 socket;
	__u64 connection; /* 0: none of ours, such as a client's */
	__u64 family;
};

/* Which connection a library's session object belongs to. Removed when the object is freed; the oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct tls_session_key);
	__type(value, struct tls_session);
} tls_sessions SEC(".maps");

static __always_inline void learn_session(struct tls_session_key *key, struct connection_state *connection, __u64 socket,
				  __u8 family)
{
	struct tls_session session = { .socket = socket, .family = family };

	if (connection) {
		session.connection = connection->id;
		connection->tls_session = key->session;
	}
	bpf_map_update_elem(&tls_sessions, key, &session, BPF_ANY);
}

/* As learn_session(), and what was believed of the session until now is given up. */
static __always_inline void relearn_session(struct tls_session_key *key, struct tls_session *known,
				    struct connection_state *connection, __u64 socket, __u8 family)
{
	if (known) {
		struct connection_state *other = find_connection(known->socket, known->family);

		if (other && other->id == known->connection && other->tls_session == key->session)
			other->tls_session = 0;
	}
	learn_session(key, connection, socket, family);
}

/*
 * A program that moves the bytes itself (memory BIO: Node.js, asyncio) has read the ciphertext from the socket just
 * before it calls the library: to get the plaintext, or to go on with the handshake that a write waits for. That is believed once, for a session that is not known yet, of a connection that no
 * other session has. It is known then until it is freed.
 */
static __always_inline void learn_from_last_read(struct tls_thread *thread, __u64 session_address)
{
	struct tls_session_key key = { .session = session_address, .process = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *known = bpf_map_lookup_elem(&tls_sessions, &key);
	struct connection_state *connection;
	__u64 socket = thread->last_socket;

	if (known) {
		if (known->socket == socket)
			thread->last_socket = 0;
		return;
	}
	thread->last_socket = 0;
	connection = find_connection(socket, thread->last_family);
	if (connection && !is_client(connection) && (connection->mode != MODE_TLS || connection->tls_session))
		return;
	learn_session(&key, connection, socket, thread->last_family);
}

static __always_inline int enter_call(void *ctx, __u8 call, __u64 stack, __u64 session, __u64 buffer, __u64 count_address)
{
	struct task_struct *task = current_task();
	struct tls_thread *thread = tls_thread_of(task);
	struct tls_frame *frame;
	__u32 depth;

	count_hit(ctx);
	if (is_agent())
		return 0;
	if (!thread)
		thread = new_tls_thread(task);
	if (!thread)
		return 0;
	if (thread->last_socket)
		learn_from_last_read(thread, session);
	/* The stack grows down: a call that is not above this one on it has been left. */
	depth = thread->depth;
	if (depth >= 2 && thread->frames[1].stack <= stack)
		depth = 1;
	if (depth >= 1 && thread->frames[0].stack <= stack)
		depth = 0;
	if (depth >= TLS_DEPTH)
		depth = TLS_DEPTH - 1;
	frame = &thread->frames[depth & (TLS_DEPTH - 1)];
	frame->stack = stack;
	frame->session = session;
	frame->buffer = buffer;
	frame->count_address = count_address;
	frame->socket = 0;
	frame->call = call;
	thread->depth = depth + 1;
	return 0;
}

/* The call that returns with this stack pointer. What was called inside it and did not return is over with it. */
static __always_inline struct tls_frame *leave_call(struct tls_thread *thread, __u64 stack)
{
	if (thread->depth >= 2 && thread->frames[1].stack == stack) {
		thread->depth = 1;
		return &thread->frames[1];
	}
	if (thread->depth >= 1 && thread->frames[0].stack == stack) {
		thread->depth = 0;
		return &thread->frames[0];
	}
	return NULL;
}

/* The connection of the session that the call was for. A transfer inside the call proves it. */
static __always_inline struct connection_state *connection_of_call(struct tls_frame *frame, __u64 *socket)
{
	struct tls_session_key key = { .session = frame->session, .process = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *known = bpf_map_lookup_elem(&tls_sessions, &key);
	struct connection_state *connection;

	if (frame->socket) {
		*socket = frame->socket;
		connection = find_connection(*socket, frame->family);
		if (!known || known->socket != *socket || known->connection != (connection ? connection->id : 0))
			relearn_session(&key, known, connection, *socket, frame->family);
		return connection;
	}
	if (!known)
		return NULL;
	*socket = known->socket;
	connection = find_connection(*socket, known->family);
	/* A client is given its name when its process begins to serve. */
	if (connection && connection->id != known->connection && !known->connection && is_client(connection))
		known->connection = connection->id;
	return connection && connection->id == known->connection ? connection : NULL;
}

SEC("uprobe")
int tls_read_enter(struct pt_regs *ctx)
{
	return enter_call(ctx, TLS_READ, ctx->sp, FUNCTION_ARG0(ctx), FUNCTION_ARG1(ctx), 0);
}

SEC("uprobe")
int tls_write_enter(struct pt_regs *ctx)
{
	return enter_call(ctx, TLS_WRITE, ctx->sp, FUNCTION_ARG0(ctx), FUNCTION_ARG1(ctx), 0);
}

SEC("uprobe")
int tls_read_ex_enter(struct pt_regs *ctx)
{
	return enter_call(ctx, TLS_READ, ctx->sp, FUNCTION_ARG0(ctx), FUNCTION_ARG1(ctx), FUNCTION_ARG3(ctx));
}

SEC("uprobe")
int tls_write_ex_enter(struct pt_regs *ctx)
{
	return enter_call(ctx, TLS_WRITE, ctx->sp, FUNCTION_ARG0(ctx), FUNCTION_ARG1(ctx), FUNCTION_ARG3(ctx));
}

SEC("uprobe")
int tls_handshake_enter(struct pt_regs *ctx)
{
	return enter_call(ctx, TLS_HANDSHAKE, ctx->sp, FUNCTION_ARG0(ctx), 0, 0);
}

/* The plaintext that a call has passed on goes to its connection. */
static __always_inline void call_passed(struct task_struct *task, struct tls_frame *frame, __u32 length)
{
	__u64 socket = 0;
	struct connection_state *connection = connection_of_call(frame, &socket);

	/* A call that failed may have moved ciphertext: whose it was is known now for those that follow. */
	if (length == 0)
		return;
	if (connection)
		plaintext_passed(task, connection, socket, frame->call, frame->buffer, length);
	/* A socket that we do not track is a client's. */
	else if (!socket)
		count_unread(COUNTER_TLS_UNPLACED);
}

/* Any of these calls returns. */
SEC("uretprobe")
int tls_exit(struct pt_regs *ctx)
{
	struct task_struct *task = current_task();
	struct tls_thread *thread = tls_thread_of(task);
	struct tls_frame *frame;
	int result = FUNCTION_RESULT(ctx);
	__u64 length = 0;

	count_hit(ctx);
	if (!thread)
		return 0;
	frame = leave_call(thread, ctx->sp - RETURN_ADDRESS_BYTES);
	if (!frame)
		return 0;
	if (result > 0 && frame->call != TLS_HANDSHAKE) {
		length = result;
		if (frame->count_address && bpf_probe_read_user(&length, sizeof(length), (void *)frame->count_address))
			length = 0;
		if (length > 0x7fffffff)
			length = 0x7fffffff;
	}
	call_passed(task, frame, length);
	return 0;
}

/* The object is freed, or used for another connection (SSL_clear): what was learnt of it is over. */
SEC("uprobe")
int tls_free_enter(struct pt_regs *ctx)
{
	struct tls_session_key key = { .session = FUNCTION_ARG0(ctx), .process = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *known = bpf_map_lookup_elem(&tls_sessions, &key);
	struct connection_state *connection;

	count_hit(ctx);
	if (!known)
		return 0;
	connection = find_connection(known->socket, known->family);
	if (connection && connection->id == known->connection && connection->tls_session == key.session)
		connection->tls_session = 0;
	bpf_map_delete_elem(&tls_sessions, &key);
	return 0;
}
