/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP connections of anybody, at their end: what the kernel has counted of them. Runs only where this was asked for. The tracepoint is
 * passed in soft interrupts, too, so whose a connection is, is remembered where a process is known to be at work: when it
 * begins to connect, and when it closes.
 */
#include "lib/socket.h"

#define IPPROTO_TCP 6
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define ROLE_CLIENT 1
#define ROLE_SERVER 2

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inet_sock {
	unsigned short inet_sport; /* network order; stays when the port is given back */
};

struct sock___ended {
	unsigned short sk_protocol;
	int sk_err;
};

struct tcp_sock___counted {
	unsigned long long bytes_sent;
	unsigned long long bytes_received;
	unsigned long long bytes_acked;
	unsigned int total_retrans;
	unsigned int segs_out;
	unsigned int segs_in;
};

#pragma clang attribute pop

struct tcp_birth {
	__u64 established_ns; /* 0: never */
	__u64 start_time_ns;  /* of the process */
	__u64 cgroup_id;
	__u32 pid;
	__u32 role; /* see struct tcp_event */
};

/* By address of the socket; those that are forgotten are told without an owner. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct tcp_birth);
} tcp_births SEC(".maps");

static __always_inline void name_owner(struct tcp_birth *birth)
{
	struct task_struct *task = current_task();

	birth->pid = task->tgid;
	birth->start_time_ns = process_start_of(task);
	birth->cgroup_id = cgroup_of(task);
}

static __always_inline __u32 microseconds_since(__u64 ns)
{
	__u64 passed = ns ? (bpf_ktime_get_boot_ns() - ns) / 1000 : 0;

	return passed > 0xffffffff ? 0xffffffff : passed;
}

static __always_inline void tell_end(struct sock *sk, const struct tcp_birth *birth, int last_state)
{
	struct tcp_sock___counted *counted = (struct tcp_sock___counted *)sk;
	struct tcp_event *event = bpf_ringbuf_reserve(&security_ring, sizeof(*event), 0);

	if (!event) {
		count(COUNTER_LOST_SECURITY);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->header.size = sizeof(*event);
	event->header.kind = EVENT_TCP;
	event->header.version = ABI_VERSION;
	event->header.time_ns = bpf_ktime_get_boot_ns();
	event->header.cpu = bpf_get_smp_processor_id();
	if (birth) {
		event->header.pid = birth->pid;
		event->header.tid = birth->pid;
		event->header.unit = birth->pid;
		event->header.start_time_ns = birth->start_time_ns;
		event->header.cgroup_id = birth->cgroup_id;
		event->role = birth->role;
		event->duration_us = microseconds_since(birth->established_ns);
	}
	event->bytes_sent = READ(counted, bytes_sent);
	event->bytes_received = READ(counted, bytes_received);
	event->bytes_acked = READ(counted, bytes_acked);
	event->retransmits = READ(counted, total_retrans);
	event->segments_out = READ(counted, segs_out);
	event->segments_in = READ(counted, segs_in);
	event->error = READ((struct sock___ended *)sk, sk_err);
	event->family = family_of(sk);
	event->last_state = last_state;
	event->local_port = bpf_ntohs(READ((struct inet_sock *)sk, inet_sport));
	event->remote_port = bpf_ntohs(READ(sk, __sk_common.skc_dport));
	read_addresses(sk, event->family, event->local_address, event->remote_address);
	bpf_ringbuf_submit(event, wake_flags_reserved(&security_ring, SECURITY_WAKE_BYTES));
	count(COUNTER_EVENTS);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *socket, int old_state, int new_state)
{
	struct sock *sk = DISTRUST(socket);
	__u64 key = (__u64)socket;
	struct tcp_birth *birth, fresh = {};

	if (READ((struct sock___ended *)sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	birth = bpf_map_lookup_elem(&tcp_births, &key);
	switch (new_state) {
	case TCP_SYN_SENT:
		fresh.role = ROLE_CLIENT;
		name_owner(&fresh);
		bpf_map_update_elem(&tcp_births, &key, &fresh, BPF_ANY);
		break;
	case TCP_ESTABLISHED:
		if (birth && old_state == TCP_SYN_SENT) {
			birth->established_ns = bpf_ktime_get_boot_ns();
		} else {
			fresh.role = old_state == TCP_SYN_RECV ? ROLE_SERVER : 0;
			fresh.established_ns = bpf_ktime_get_boot_ns();
			bpf_map_update_elem(&tcp_births, &key, &fresh, BPF_ANY);
		}
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		if (birth && !birth->pid)
			name_owner(birth);
		break;
	case TCP_CLOSE:
		if (old_state != TCP_CLOSE && old_state != TCP_LISTEN)
			tell_end(sk, birth, old_state);
		bpf_map_delete_elem(&tcp_births, &key);
		break;
	}
	return 0;
}
