/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS connections, as the transfer programs see them: ciphertext. It is told up to the end of the client's greeting
 * and then kept quiet, and each transfer is noted for the thread, since that is how the plaintext that passes through a
 * library's functions finds its socket (sensors/tls.bpf.c): by the transfer inside the call, or, where the program
 * moves the bytes itself, by the last one before it. No offset into a library's structures is needed.
 */
#ifndef THROUGHLINE_TLS_H
#define THROUGHLINE_TLS_H

#include "lib/socket.h"
#include "lib/stamp.h"
#include "lib/go-tls.h"

#define TLS_LISTENERS 64
/* RFC 8446, 5.2: a record's payload is at most 2^14 bytes and 256 of expansion; older versions allow 2048. */
#define TLS_RECORD_LIMIT (16384 + 2048)
#define TLS_RECORD_HANDSHAKE 22

/* Processes that began to listen: user space looks which libraries they have. A hint: the oldest are overwritten. */
unsigned int tls_listeners[TLS_LISTENERS] = {};
unsigned int tls_listener_count = 0;

enum tls_call {
	TLS_READ = 1,
	TLS_WRITE = 2,
	TLS_HANDSHAKE = 3, /* passes no plaintext, but shows whose bytes the thread moves */
};

/* A call of a function of a TLS library that has not returned. */
struct tls_frame {
	__u64 stack;         /* stack pointer at its first instruction: tells whose return it is */
	__u64 session;       /* SSL * or gnutls_session_t */
	__u64 buffer;
	__u64 count_address; /* where SSL_read_ex and SSL_write_ex say how many bytes it were; else 0 */
	__u64 socket;        /* used for a transfer inside the call; 0 for none */
	__u8 call;           /* enum tls_call */
	__u8 family;
	__u8 reserved[6];
};

/* Calls nest: the end of the handshake, inside SSL_read, calls the program back, and Node.js then writes. */
#define TLS_DEPTH 2

/* What a thread does in TLS libraries. */
struct tls_thread {
	__u64 start_time_ns;
	__u64 last_socket; /* read from outside of any call, and not yet given to a session */
	__u32 depth;
	__u8 last_family;
	__u8 reserved[3];
	struct tls_frame frames[TLS_DEPTH];
};

/* A call that was left without returning (longjmp) is set right by the thread's next one. The oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

/* Threads by their id modulo MARKS that had an entry. */
unsigned char maybe_in_tls[MARKS] = {};

/*
 * Somebody listens: the reader is woken to look at his libraries, so that they are probed when the first client comes. A
 * record that is given back at once does that, and is never seen.
 */
static __always_inline void note_listener(void)
{
	void *record = bpf_ringbuf_reserve(&security_ring, 8, 0);

	tls_listeners[tls_listener_count++ & (TLS_LISTENERS - 1)] = bpf_get_current_pid_tgid() >> 32;
	if (record)
		bpf_ringbuf_discard(record, BPF_RB_FORCE_WAKEUP);
}

static __always_inline struct tls_thread *tls_thread_of(struct task_struct *task)
{
	__u32 tid = task->pid;
	struct tls_thread *thread = bpf_map_lookup_elem(&tls_threads, &tid);

	return thread && thread->start_time_ns == task->start_boottime ? thread : NULL;
}

/* Not on the stack, where what calls this has little room left. */
static const struct tls_thread FRESH_TLS_THREAD;

static __always_inline struct tls_thread *new_tls_thread(struct task_struct *task)
{
	struct tls_thread *thread;
	__u32 tid = task->pid;

	maybe_in_tls[MARK_OF(tid)] = 1;
	bpf_map_update_elem(&tls_threads, &tid, &FRESH_TLS_THREAD, BPF_ANY);
	thread = bpf_map_lookup_elem(&tls_threads, &tid);
	if (thread)
		thread->start_time_ns = task->start_boottime;
	return thread;
}

/*
 * Bytes went over a socket. Clients' sockets are noted as well: whatever is none of ours must not look like ours. Pipes
 * to children are unix sockets in Node.js: outside of a call these say nothing.
 */
__noinline int note_tls_transfer(__u64 socket, __u32 direction, __u32 is_tls)
{
	struct task_struct *task = current_task();
	struct sock *sk = (struct sock *)socket;
	struct tls_thread *thread;
	__u64 goroutine;

	goroutine = goroutine_of(task);
	if (goroutine) {
		note_go_transfer(task, goroutine, sk, direction);
		return 0;
	}
	thread = tls_thread_of(task);
	if (!thread && is_tls)
		thread = new_tls_thread(task);
	if (!thread)
		return 0;
	if (thread->depth > 0) {
		struct tls_frame *frame = &thread->frames[(thread->depth - 1) & (TLS_DEPTH - 1)];

		frame->socket = (__u64)sk;
		frame->family = family_of(sk);
	} else if (direction == DIRECTION_IN && family_of(sk) != FAMILY_UNIX &&
		   READ(sk, sk_type) == SOCK_STREAM) {
		thread->last_socket = (__u64)sk;
		thread->last_family = family_of(sk);
	}
	return 0;
}

/* Nothing that the thread moves is of interest to what it does in TLS libraries. */
static __always_inline int is_outside_tls(struct task_struct *task)
{
	return !tls_attached || (!maybe_in_tls[MARK_OF(task->pid)] && !may_have_runtime(task->tgid));
}

static __always_inline void note_transfer(struct task_struct *task, struct sock *sk, int direction, int is_tls)
{
	if (tls_attached && (is_tls || !is_outside_tls(task)))
		note_tls_transfer((__u64)sk, direction, is_tls);
}

/*
 * Whether these are the first bytes of a TLS record, or of the greeting in SSL 2 form that OpenSSL still takes: 0, or
 * the record's type. No text protocol begins with such bytes. Who sends his first record a byte at a time is told by the
 * first of them.
 */
static __always_inline int tls_record_type(const __u8 *first, unsigned int size)
{
	if (size == 0)
		return 0;
	if (first[0] & 0x80)
		return size >= 4 && first[2] == 1 && first[3] == 3 ? TLS_RECORD_HANDSHAKE : 0;
	/* change_cipher_spec to application_data */
	if (first[0] < 20 || first[0] > 23)
		return 0;
	if (size >= 2 && first[1] != 3)
		return 0;
	if (size >= 3 && first[2] > 4)
		return 0;
	return size < 5 || ((first[3] << 8) | first[4]) <= TLS_RECORD_LIMIT ? first[0] : 0;
}

/* Likewise, of bytes in the caller's memory. */
static __always_inline int tls_record_type_at(unsigned long address, unsigned int vector_count, unsigned int length)
{
	unsigned int size = length < 6 ? length : 6;
	__u8 first[8] = {};

	if (vector_count) {
		struct user_iovec vector = {};

		if (bpf_probe_read_user(&vector, sizeof(vector), (void *)address))
			return 0;
		address = vector.base;
		if (vector.length < size)
			size = vector.length;
	}
	BOUND(size, 7);
	if (size == 0 || bpf_probe_read_user(first, size, (void *)address))
		return 0;
	return tls_record_type(first, size);
}

/*
 * From here on the connection's bytes are ciphertext. Looked for where a message begins, so that a connection can turn to
 * TLS later (STARTTLS), and on each read of one that nobody reads: it may have been open before its library was probed.
 */
static __always_inline void turn_to_tls(struct connection_state *connection, int record_type)
{
	connection->tls_stage = connection->mode == MODE_CAPTURE && record_type == TLS_RECORD_HANDSHAKE ? TLS_GREETING :
													  TLS_JOINED;
	connection->tls_session = 0;
	connection->mode = MODE_TLS;
	connection->direction = DIRECTION_IN;
	connection->sequence++;
	connection->message_captured = 0;
	connection->writes = 0;
}

/* What the thread did for another connection is no explanation any more. For this one it is: its bytes come in parts. */
static __always_inline void leave_other_request(struct task_struct *task, struct connection_state *connection)
{
	struct unit_state *thread = running_unit(task);

	if (thread && thread->connection && thread->connection != connection->id)
		clear_stamp(thread, ORIGIN_NONE);
}

#endif
