/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is remembered of connections, by the address of the kernel's socket. */
#ifndef THROUGHLINE_CONNECTION_H
#define THROUGHLINE_CONNECTION_H

#include "lib/state.h"

#define CONNECTION_SLOTS 16384
/* A TCP socket is larger than this: 2,048 bytes. */
#define SOCKET_SHIFT 11
/* Address of no socket: somebody is filling the slot. */
#define SLOT_CLAIMED 1

struct connection_slot {
	__u64 socket; /* 0: free */
	struct connection_state state;
	__u32 has_more; /* some socket found it taken, once */
} __attribute__((aligned(128)));

/*
 * TCP connections, each where its address says. Between two messages of one connection a busy server does thirty others', so what is
 * remembered of it has left the processor's cache, and each line that has to come back takes about as long as all the rest of a
 * program: here it is one, in a hash map four. Mappable for its alignment alone.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CONNECTION_SLOTS);
	__type(key, __u32);
	__type(value, struct connection_slot);
} connection_slots SEC(".maps");

/* Those that found their slot taken. Both are removed when the socket is closed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct connection_state);
} more_connections SEC(".maps");

/* Accepted unix connections. No tracepoint tells their end, so the oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct connection_state);
} unix_connections SEC(".maps");

/* As a number: the verifier does not calculate with addresses that it knows as such. */
static __always_inline __u64 address_of(const void *object)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &object);
	return address;
}

static __always_inline struct connection_slot *slot_of(__u64 socket)
{
	/* No two sockets of one slab share a slot, and neighbours stay neighbours: fewer pages, whose places the processor has to look up. */
	__u32 index = (socket >> SOCKET_SHIFT) & (CONNECTION_SLOTS - 1);

	return bpf_map_lookup_elem(&connection_slots, &index);
}

static __always_inline struct connection_state *find_tcp(__u64 socket)
{
	struct connection_slot *slot = slot_of(socket);

	if (!slot)
		return NULL;
	if (slot->socket == socket)
		return &slot->state;
	return slot->has_more ? bpf_map_lookup_elem(&more_connections, &socket) : NULL;
}

static __always_inline struct connection_state *find_connection(__u64 socket, __u8 family)
{
	return family == FAMILY_UNIX ? bpf_map_lookup_elem(&unix_connections, &socket) : find_tcp(socket);
}

/* Returns 0, or another number where there was no room. */
static __always_inline long put_tcp(__u64 socket, const struct connection_state *state)
{
	struct connection_slot *slot = slot_of(socket);

	if (!slot)
		return -1;
	if (slot->socket == socket) {
		slot->state = *state;
		return 0;
	}
	/* Known already: it stays where it is. */
	if (!(slot->has_more && bpf_map_lookup_elem(&more_connections, &socket)) &&
	    __sync_val_compare_and_swap(&slot->socket, 0, SLOT_CLAIMED) == 0) {
		slot->state = *state;
		/* Last, since others see it from then on. */
		__sync_lock_test_and_set(&slot->socket, socket);
		return 0;
	}
	slot->has_more = 1;
	return bpf_map_update_elem(&more_connections, &socket, state, BPF_ANY);
}

static __always_inline long put_connection(__u64 socket, __u8 family, const struct connection_state *state)
{
	return family == FAMILY_UNIX ? bpf_map_update_elem(&unix_connections, &socket, state, BPF_ANY) :
				       put_tcp(socket, state);
}

static __always_inline void forget_tcp(__u64 socket)
{
	struct connection_slot *slot = slot_of(socket);

	if (!slot)
		return;
	if (slot->socket == socket)
		slot->socket = 0;
	/* It may be in both: two threads that met it at once have each remembered it. */
	if (slot->has_more)
		bpf_map_delete_elem(&more_connections, &socket);
}

#endif
