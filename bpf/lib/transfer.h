/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes that passed between a system call's caller and a socket. */
#ifndef THROUGHLINE_TRANSFER_H
#define THROUGHLINE_TRANSFER_H

#include "lib/event.h"

/* A client that pipelines writes its questions as so many vectors in one call: they are small, and all are read. */
#define MAX_VECTORS 128
/* Behind any event, in the scratch buffer that it is written to. */
#define VECTORS_OFFSET SCRATCH_SIZE
/* Beside the number of bytes: some vector could not be read. */
#define VECTORS_UNREADABLE 0x10000

/* Where the bytes of a transfer are: one buffer (vector_count 0), or an array of vectors. */
struct transfer {
	unsigned long address;
	unsigned long destination; /* of a datagram: struct sockaddr in user memory, 0 where the socket knows it; where one came from likewise */
	unsigned int vector_count;
	unsigned int length;
	unsigned int destination_length;
	unsigned int buffer_size; /* of one buffer: of a datagram, length may be more than it got (MSG_TRUNC) */
};

/*
 * What is known of a transfer is any number to the verifier from here on: knowing the noughts of each
 * kind of call, it would go through all that follows once for each.
 */
static __always_inline void forget_way(struct transfer *transfer)
{
	transfer->address += unknown_nought;
	transfer->destination += unknown_nought;
	transfer->destination_length += unknown_nought;
	transfer->vector_count += unknown_nought;
	transfer->buffer_size += unknown_nought;
}

/* The lesser of two numbers below 2^63 without a branch: each would be a way that the verifier follows, in each round of a loop. */
static __always_inline __u64 lesser(__u64 one, __u64 other)
{
	__s64 difference = one - other;

	/* Compilers know what this is, and would put the branch back. */
	asm volatile("" : "+r"(difference));
	return other + (difference & (difference >> 63));
}

/*
 * Copies up to `room` bytes of vectors behind the fixed part of the event in the scratch buffer in `slot`, which the caller holds;
 * returns how many. A function of its own, which the verifier goes through once and not for each way that leads to it;
 * the position lives in memory for the same reason: see append_path.
 */
__noinline int copy_vectors(__u32 slot, __u64 address, __u32 vector_count, __u32 room)
{
	struct scratch *scratch = scratch_in(slot);
	__u32 count = vector_count < MAX_VECTORS ? vector_count : MAX_VECTORS;
	__u32 copied, index, size = count * sizeof(struct user_iovec);
	struct user_iovec *vectors;
	__u64 length;

	if (!scratch)
		return 0;
	vectors = (struct user_iovec *)&scratch->data[VECTORS_OFFSET];
	scratch->cursor = 0;
	BOUND(size, 0xfff);
	if (bpf_probe_read_user(vectors, size, (void *)address))
		count = 0;
	for (index = 0; index < MAX_VECTORS; index++) {
		copied = scratch->cursor;
		if (index >= count || copied >= room)
			break;
		length = vectors[index].length & 0x7fffffff;
		size = lesser(lesser(length, 0x2000), room - copied);
		BOUND(size, 0x3fff);
		BOUND(copied, 0x3fff);
		if (bpf_probe_read_user(&scratch->data[sizeof(struct payload_event) + copied], size, (void *)vectors[index].base)) {
			count = 0;
			break;
		}
		scratch->cursor = copied + size;
		/* A longer vector was cut: what follows is not contiguous with it. */
		if (size < length)
			break;
	}
	return count ? scratch->cursor : scratch->cursor | VECTORS_UNREADABLE;
}

/* Copies up to `room` bytes behind the fixed part of the event; returns how many. */
static __always_inline unsigned int copy_bytes(__u8 *data, const struct transfer *transfer, unsigned int room, __u8 *flags)
{
	unsigned int size = transfer->length < room ? transfer->length : room;

	BOUND(size, 0x3fff);
	if (size == 0)
		return 0;
	if (transfer->vector_count) {
		size = copy_vectors(SCRATCH_OF(data)->slot, transfer->address, transfer->vector_count, size);
		if (size & VECTORS_UNREADABLE)
			*flags |= FLAG_UNREADABLE;
		BOUND(size, 0x3fff);
		return size;
	}
	if (bpf_probe_read_user(&data[sizeof(struct payload_event)], size, (void *)transfer->address)) {
		*flags |= FLAG_UNREADABLE;
		return 0;
	}
	return size;
}

#endif
