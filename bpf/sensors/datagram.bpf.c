/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Several datagrams in one call: glibc sends both questions of a lookup (IPv4 and IPv6) that way. Calls that transfer
 * one datagram pass through payload.bpf.c, like those of connections.
 */
#include "lib/datagram.h"
#include "lib/remote.h"
#include "lib/client.h"
#include "lib/syscall-exit.h"

#define DATAGRAMS_TOLD 8

static __always_inline int read_message(unsigned long messages, unsigned int index, struct transfer *transfer)
{
	struct user_mmsghdr message = {};

	if (bpf_probe_read_user(&message, sizeof(message), (void *)(messages + index * sizeof(message))))
		return -1;
	transfer->address = message.header.iov;
	transfer->vector_count = message.header.iov_count;
	transfer->destination = message.header.name;
	transfer->destination_length = message.header.name_length;
	transfer->length = message.length;
	transfer->buffer_size = 0;
	return message.header.iov_count ? 0 : -1;
}

/* What stands behind the first few of a call is not looked at: of a socket that asks questions, that is told. */
static __always_inline void count_skipped(struct sock *sk, long messages)
{
	struct datagram_socket *socket;

	if (messages <= DATAGRAMS_TOLD)
		return;
	socket = find_datagram_socket(sk);
	if (socket && !socket->is_unread)
		count(COUNTER_DATAGRAMS_SKIPPED);
}

/* sendmmsg(fd, struct mmsghdr *, count, flags) */
SEC("exit")
int SYSCALL_EXIT(exit_sendmmsg, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	struct transfer transfer = {};
	struct sock *sk;
	int index, asks;

	if (result <= 0 || (!wants_all_remotes && !is_serving(task->tgid)))
		return 0;
	sk = socket_of(task, ARG0(regs));
	if (!sk)
		return 0;
	asks = is_serving(task->tgid) && is_udp(sk, family_of(sk));
	for (index = 0; index < DATAGRAMS_TOLD && index < result; index++)
		if (!read_message(ARG1(regs), index, &transfer) && !(asks && datagram_sent(sk, &transfer)))
			remote_seen(sk, &transfer, DIRECTION_OUT);
	count_skipped(sk, result);
	return 0;
}

/* recvmmsg(fd, struct mmsghdr *, count, flags, timeout) */
SEC("exit")
int SYSCALL_EXIT(exit_recvmmsg, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	struct transfer transfer = {};
	struct sock *sk;
	int index;

	if (result <= 0 || ARG3(regs) & MSG_PEEK)
		return 0;
	sk = socket_of(task, ARG0(regs));
	if (!sk)
		return 0;
	if (!find_datagram_socket(sk)) {
		for (index = 0; index < DATAGRAMS_TOLD && index < result; index++)
			if (!read_message(ARG1(regs), index, &transfer))
				remote_seen(sk, &transfer, DIRECTION_IN);
		read_unknown(task, sk);
		return 0;
	}
	for (index = 0; index < DATAGRAMS_TOLD && index < result; index++)
		if (read_message(ARG1(regs), index, &transfer) || !datagram_received(sk, &transfer))
			read_unknown(task, sk);
	if (result > DATAGRAMS_TOLD)
		read_unknown(task, sk);
	count_skipped(sk, result);
	return 0;
}
