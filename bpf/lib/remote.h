/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whom sockets that are no connections talk to: UDP and raw sockets, and unix sockets that send datagrams to a path. A remote
 * is told once for each socket and direction, not with each datagram. Sockets that are connected need none of this: connect
 * is an event of its own, and names no remote with its datagrams.
 */
#ifndef THROUGHLINE_REMOTE_H
#define THROUGHLINE_REMOTE_H

#include "lib/socket.h"
#include "lib/stamp.h"
#include "lib/transfer.h"

/* Set by user space: those of everybody are wanted, not of serving processes alone. */
unsigned int wants_all_remotes = 0;

/* An address that was passed to, or given by, a system call: struct sockaddr. */
struct remote_name {
	__u64 address;
	__u32 length;
	__u32 is_in_kernel;
};

struct known_remote {
	__u64 socket; /* its inode number */
	__u8 address[16]; /* of a unix socket, a hash of its path */
	__u16 port;
	__u8 family;
	__u8 direction;
	__u32 reserved;
};

/* The oldest make room, and are told again when they talk on. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct known_remote);
	__type(value, __u8);
} known_remotes SEC(".maps");

static __always_inline long read_name(void *to, __u32 size, const struct remote_name *name, __u32 offset)
{
	return name->is_in_kernel ? bpf_probe_read_kernel(to, size, (void *)(name->address + offset)) :
				    bpf_probe_read_user(to, size, (void *)(name->address + offset));
}

/* Reads struct sockaddr; returns the family, FAMILY_NONE for one of another kind or that cannot be read. */
static __always_inline __u8 read_remote(const struct remote_name *name, __u8 *address, __u16 *port, char *path,
					__u32 *path_size)
{
	__u32 size = name->length > 2 ? name->length - 2 : 0;
	__u16 family = AF_UNSPEC, number = 0;

	if (read_name(&family, sizeof(family), name, 0))
		return FAMILY_NONE;
	switch (family) {
	case AF_INET:
		if (read_name(&number, 2, name, 2) || read_name(address, 4, name, 4))
			return FAMILY_NONE;
		*port = bpf_ntohs(number);
		return FAMILY_IPV4;
	case AF_INET6:
		if (read_name(&number, 2, name, 2) || read_name(address, 16, name, 8))
			return FAMILY_NONE;
		*port = bpf_ntohs(number);
		return FAMILY_IPV6;
	case AF_UNIX:
		if (size > UNIX_PATH_LIMIT)
			size = UNIX_PATH_LIMIT;
		BOUND(size, 0x7f);
		if (size == 0 || size > UNIX_PATH_LIMIT || read_name(path, size, name, 2))
			return FAMILY_NONE;
		*path_size = size;
		return FAMILY_UNIX;
	default:
		return FAMILY_NONE;
	}
}

/* FNV-1a over what was read of a path. */
static __always_inline __u64 path_hash(const char *path, __u32 size)
{
	__u64 hash = 0xcbf29ce484222325ULL;
	__u32 index;

	for (index = 0; index < UNIX_PATH_LIMIT; index++) {
		if (index >= size)
			break;
		hash = (hash ^ (__u8)path[index]) * 0x100000001b3ULL;
	}
	return hash;
}

/* Whether this remote is new to the socket; from now on it is not. */
static __always_inline int is_new_remote(struct sock *sk, const struct datagram_event *event)
{
	struct known_remote remote = {
		.socket = inode_of(sk), .port = event->remote_port, .family = event->family, .direction = event->direction
	};
	__u8 one = 1;

	if (event->family == FAMILY_UNIX) {
		__u64 hash = path_hash(event->path, event->path_size);

		__builtin_memcpy(remote.address, &hash, sizeof(hash));
	} else {
		__builtin_memcpy(remote.address, event->remote_address, sizeof(remote.address));
	}
	if (bpf_map_lookup_elem(&known_remotes, &remote))
		return 0;
	bpf_map_update_elem(&known_remotes, &remote, &one, BPF_ANY);
	return 1;
}

/* A function of its own, with plain numbers to it: the verifier goes through it once. `way`: enum direction, flags << 8. */
__noinline int tell_remote_at(__u64 socket, __u64 address, __u32 length, __u32 is_in_kernel, __u32 way)
{
	const struct remote_name name = { .address = address, .length = length, .is_in_kernel = is_in_kernel };
	struct sock *sk = (struct sock *)socket;
	struct task_struct *task = current_task();
	struct datagram_event *event;
	struct scratch *scratch;
	__u16 type = READ(sk, sk_type);

	if (type == SOCK_STREAM || is_agent() || (!wants_all_remotes && !is_serving(task->tgid)))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = (struct datagram_event *)scratch->data;
	__builtin_memset(event, 0, sizeof(*event));
	event->family = read_remote(&name, event->remote_address, &event->remote_port, event->path, &event->path_size);
	event->direction = way & 0xff;
	event->socket_type = type;
	if (event->family != FAMILY_NONE && is_new_remote(sk, event)) {
		fill_header(&event->header, EVENT_DATAGRAM, task);
		event->header.flags = (way >> 8) | (is_in_kernel ? 0 : FLAG_USER_MEMORY);
		if (event->family != FAMILY_UNIX)
			event->local_port = READ(sk, __sk_common.skc_num);
		submit_within_budget(event, sizeof(*event), BUDGET_NETWORK);
	}
	scratch_release(scratch);
	return 0;
}

static __always_inline void tell_remote(struct sock *sk, const struct remote_name *name, __u32 direction, __u32 flags)
{
	tell_remote_at((__u64)sk, name->address, name->length, name->is_in_kernel, direction | (flags << 8));
}

/* A datagram that is no question of DNS has passed, with an address in the caller's memory. */
static __always_inline void remote_seen(struct sock *sk, const struct transfer *transfer, __u32 direction)
{
	if (transfer->destination)
		tell_remote_at((__u64)sk, transfer->destination, transfer->destination_length, 0, direction);
}

#endif
