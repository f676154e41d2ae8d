/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plaintext of Go's crypto/tls. A return probe would put its own address on a stack that Go's runtime unwinds and moves, so
 * only entries are probed: of Write, of the function that reads a record, and of the deferred unlock with which Read ends.
 * That one runs when everything has been read, and before anybody else may read from the tls.Conn. How much was read tells
 * tls.Conn.input, a bytes.Reader on the record's plaintext.
 *
 * Arguments are in registers since Go 1.17. Where the stack is too small, or the goroutine has to make way for another, a
 * function begins anew, so the probes stand behind the check of the stack (src/kernel/uprobes/go-stack-check.ts). In a
 * function that does not begin with one that we know they stand at its beginning, and an entry may be seen twice for one call.
 */
#include "lib/tls.h"
#include "lib/go-tls.h"
#include "lib/plaintext.h"
#include "lib/function.h"

/* tls.Conn: its lock of reading lies within so many bytes, and rawInput within so many behind the lock. It is larger. */
#define GO_LOCK_LIMIT 768
#define GO_RAW_INPUT_FIRST 64
#define GO_RAW_INPUT_LIMIT 512
/* Sizes of bytes.Buffer and bytes.Reader, of five words each. */
#define GO_BUFFER_BYTES 40

struct go_reader {
	__u64 data;
	__u64 length;
	__u64 capacity;
	__u64 position;
	__s64 previous_rune;
};

struct go_buffer {
	__u64 data;
	__u64 length;
	__u64 capacity;
	__u64 position;
	__u64 last_read;
};

/* Where a process has tls.Conn's members: the lock in the lower half, input in the upper one. 0: not known yet. */
#define GO_LAYOUT(lock, input) ((lock) | ((__u32)(input) << 16))
#define GO_LOCK(layout) ((layout) & 0xffff)
#define GO_INPUT(layout) ((layout) >> 16)

/* A record's plaintext was decrypted where its ciphertext was, so both end where the buffer's memory ends. */
static __always_inline int is_input(struct go_buffer *raw, struct go_reader *input)
{
	return raw->length <= raw->capacity && raw->position <= raw->length && input->data > raw->data &&
	       input->data + input->capacity == raw->data + raw->capacity && input->length <= input->capacity &&
	       input->position > 0 && input->position <= input->length && input->previous_rune == -1;
}

/*
 * Finds out where a tls.Conn has its lock and input, from one of which a record was just read; both have moved from version
 * to version of Go. No two of them lie so near to each other that one's lock could be taken for that of the other.
 */
static __always_inline __u32 find_layout(__u64 conn, __u64 lock)
{
	struct {
		struct go_buffer raw;
		struct go_reader input;
	} found;
	__u64 offset = lock - conn;
	__u32 at;

	if (offset >= GO_LOCK_LIMIT)
		return 0;
	for (at = GO_RAW_INPUT_FIRST; at < GO_RAW_INPUT_LIMIT; at += 8) {
		if (bpf_probe_read_user(&found, sizeof(found), (void *)(lock + at)))
			return 0;
		if (is_input(&found.raw, &found.input))
			return GO_LAYOUT(offset, offset + at + GO_BUFFER_BYTES);
	}
	return 0;
}

/* The session's connection, while its socket is what it was. */
static __always_inline struct connection_state *connection_of_go_session(struct tls_session_key *key,
									  struct go_session *session)
{
	struct connection_state *connection = find_connection(session->socket, session->family);

	if (!connection)
		return NULL;
	/* A client is given its name when its process begins to serve. */
	if (!session->connection && is_client(connection))
		session->connection = connection->id;
	if (connection->id != session->connection || !go_session_may_have(key, connection))
		return NULL;
	connection->tls_session = key->session;
	return connection;
}

static __always_inline int is_joined(struct go_session *session)
{
	return session->socket && inode_of((struct sock *)session->socket) == session->inode;
}

static __always_inline void go_plaintext_passed(struct task_struct *task, struct tls_session_key *key,
						struct go_session *session, __u8 call, __u64 buffer, __u32 length)
{
	struct connection_state *connection;

	if (!session->socket)
		count_unread(COUNTER_TLS_UNPLACED);
	/* Bytes for a socket that is closed go nowhere. */
	if (!is_joined(session))
		return;
	connection = connection_of_go_session(key, session);
	if (connection)
		plaintext_passed(task, connection, session->socket, call, buffer, length);
}

/* The record that was read last, and how far: nothing where it cannot be read. */
static __always_inline void read_input(struct tls_session_key *key, __u32 layout, struct go_reader *input)
{
	bpf_probe_read_user(input, sizeof(*input), (void *)(key->session + GO_INPUT(layout)));
}

/* What was read of the session's record and not told yet. The reading lock is held: nobody else reads from it. */
static __always_inline void tell_consumed(struct task_struct *task, struct tls_session_key *key,
					  struct go_session *session, struct go_reader *input)
{
	__u32 consumed = session->consumed;

	if (input->position <= consumed || input->position > input->length || input->length > input->capacity ||
	    input->length > TLS_RECORD_LIMIT || input->previous_rune != -1)
		return;
	session->consumed = input->position;
	go_plaintext_passed(task, key, session, TLS_READ, input->data + consumed, input->position - consumed);
}

/* (*Conn).serverHandshake(conn, ...), (*Conn).clientHandshake(conn, ...): a tls.Conn begins, or begins anew. */
SEC("uprobe")
int go_tls_handshake(struct pt_regs *ctx)
{
	struct tls_session_key key = { .session = GO_ARG0(ctx), .process = bpf_get_current_pid_tgid() >> 32 };
	struct task_struct *task = current_task();
	__u64 goroutine = goroutine_of(task);
	struct go_session fresh = {}, *known;
	struct connection_state *connection;
	struct go_call *call;

	count_hit(ctx);
	call = goroutine ? need_go_call(task, goroutine) : NULL;
	if (!call)
		return 0;
	known = bpf_map_lookup_elem(&go_sessions, &key);
	if (known && is_joined(known)) {
		connection = connection_of_go_session(&key, known);
		if (connection)
			connection->tls_session = 0;
	}
	bpf_map_update_elem(&go_sessions, &key, &fresh, BPF_ANY);
	call->handshaking = key.session;
	return 0;
}

/* (*Conn).readRecordOrCCS(conn, ...): what was left of the record before this one is given up. */
SEC("uprobe")
int go_tls_record(struct pt_regs *ctx)
{
	struct tls_session_key key = { .session = GO_ARG0(ctx), .process = bpf_get_current_pid_tgid() >> 32 };
	struct task_struct *task = current_task();
	struct runtime *runtime = runtime_of(task);
	__u64 goroutine = goroutine_of(task);
	struct go_session *session, fresh = {};
	struct go_reader input = {};
	struct go_call *call;

	count_hit(ctx);
	call = goroutine ? need_go_call(task, goroutine) : NULL;
	if (!call || !runtime)
		return 0;
	if (runtime->tls_layout)
		read_input(&key, runtime->tls_layout, &input);
	/*
	 * The function itself gives the record up, and without a transfer the next one stands elsewhere: where the same one is
	 * there again, this is the same call.
	 */
	if (call->reading == key.session && !call->socket && call->record == input.data)
		return 0;
	call->reading = key.session;
	call->socket = 0;
	call->record = input.data;
	session = bpf_map_lookup_elem(&go_sessions, &key);
	if (!session) {
		bpf_map_update_elem(&go_sessions, &key, &fresh, BPF_ANY);
		return 0;
	}
	/* Read looks for the client's goodbye before it ends, and then the plaintext is gone at its end. */
	tell_consumed(task, &key, session, &input);
	session->consumed = 0;
	return 0;
}

/* The deferred unlock of (*Conn).Read: a closure, with the lock or the tls.Conn itself behind its code. */
SEC("uprobe")
int go_tls_read_end(struct pt_regs *ctx)
{
	struct tls_session_key key = { .process = bpf_get_current_pid_tgid() >> 32 };
	struct task_struct *task = current_task();
	struct runtime *runtime = runtime_of(task);
	__u64 goroutine = goroutine_of(task);
	__u64 lock = read_pointer(GO_CONTEXT(ctx) + 8);
	struct go_session *session;
	struct go_reader input = {};
	struct go_call *call;
	__u32 layout;

	count_hit(ctx);
	call = goroutine ? go_call_of(task, goroutine) : NULL;
	if (!call || !runtime)
		return 0;
	layout = runtime->tls_layout;
	if (!layout && call->reading)
		layout = runtime->tls_layout = find_layout(call->reading, lock);
	if (!layout)
		return 0;
	key.session = lock - GO_LOCK(layout);
	session = bpf_map_lookup_elem(&go_sessions, &key);
	if (session) {
		if (call->reading == key.session && call->socket && !is_joined(session))
			learn_go_session(&key, session, call->socket, call->family);
		read_input(&key, layout, &input);
		tell_consumed(task, &key, session, &input);
	}
	call->reading = 0;
	return 0;
}

/*
 * (*Conn).Write(conn, buffer, length, ...). A write that moves nothing and is followed by the same one has not been done, or
 * is still the same call.
 */
SEC("uprobe")
int go_tls_write(struct pt_regs *ctx)
{
	struct tls_session_key key = { .session = GO_ARG0(ctx), .process = bpf_get_current_pid_tgid() >> 32 };
	__u64 buffer = GO_ARG1(ctx), length = GO_ARG2(ctx);
	struct task_struct *task = current_task();
	__u64 goroutine = goroutine_of(task);
	struct go_session *session;
	struct go_call *call;

	count_hit(ctx);
	call = goroutine && length ? need_go_call(task, goroutine) : NULL;
	if (!call || (call->writing == key.session && call->buffer == buffer && call->length == length))
		return 0;
	call->writing = key.session;
	call->buffer = buffer;
	call->length = length;
	session = bpf_map_lookup_elem(&go_sessions, &key);
	if (!session) {
		count_unread(COUNTER_TLS_UNPLACED);
		return 0;
	}
	go_plaintext_passed(task, &key, session, TLS_WRITE, buffer, length > 0x7fffffff ? 0x7fffffff : length);
	return 0;
}
