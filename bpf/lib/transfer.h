/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes that passed between a system call's caller and a socket. */
#ifndef THROUGHLINE_TRANSFER_H
#define THROUGHLINE_TRANSFER_H

#include "lib/event.h"

#define MAX_VECTORS 8

/* Where the bytes of a transfer are: one buffer (vector_count 0), or an array of vectors. */
struct transfer {
	unsigned long address;
	unsigned long destination; /* of a datagram: struct sockaddr in user memory, 0 where the socket knows it */
	unsigned int vector_count;
	unsigned int length;
	unsigned int buffer_size; /* of one buffer: of a datagram, length may be more than it got (MSG_TRUNC) */
};

/* Copies up to `room` bytes behind the fixed part of the event; returns how many. */
static __always_inline unsigned int copy_bytes(__u8 *data, const struct transfer *transfer, unsigned int room, __u8 *flags)
{
	unsigned int offset = sizeof(struct payload_event), copied = 0, index;

	if (transfer->vector_count == 0) {
		unsigned int size = transfer->length < room ? transfer->length : room;

		BOUND(size, 0x3fff);
		if (size == 0)
			return 0;
		if (bpf_probe_read_user(&data[offset], size, (void *)transfer->address)) {
			*flags |= FLAG_UNREADABLE;
			return 0;
		}
		return size;
	}
	for (index = 0; index < MAX_VECTORS; index++) {
		struct user_iovec vector = {};
		unsigned int size;

		if (index >= transfer->vector_count || copied >= room || copied >= transfer->length)
			break;
		if (bpf_probe_read_user(&vector, sizeof(vector), (void *)(transfer->address + index * sizeof(vector)))) {
			*flags |= FLAG_UNREADABLE;
			break;
		}
		size = vector.length > 0x2000 ? 0x2000 : vector.length;
		if (size > room - copied)
			size = room - copied;
		if (size > transfer->length - copied)
			size = transfer->length - copied;
		BOUND(size, 0x3fff);
		BOUND(copied, 0x3fff);
		if (bpf_probe_read_user(&data[offset + copied], size, (void *)vector.base)) {
			*flags |= FLAG_UNREADABLE;
			break;
		}
		copied += size;
		/* A longer vector was cut: what follows is not contiguous with it. */
		if (size < vector.length)
			break;
	}
	return copied;
}

#endif
