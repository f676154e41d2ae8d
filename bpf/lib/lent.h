/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an event loop hands over and gets back, with the request that it does so for (sensors/runtime.bpf.c). Work on files
 * is handed over with the paths that it is about: the thread of the pool passes the very same pointers to the kernel, so whose
 * work a system call does is told by them, without a probe on that thread.
 */
#ifndef THROUGHLINE_LENT_H
#define THROUGHLINE_LENT_H

#include "lib/event.h"

/* Of an object, or of the text of a path, in the memory of a process. */
struct lent_key {
	__u64 address;
	__u64 process;
};

/* libuv's uv_fs_t has two. */
struct lent_paths {
	__u64 first;
	__u64 second; /* of rename, link, symlink and copyfile; otherwise 0 */
};

struct lent_object {
	__u64 connection; /* 0: the loop served nobody */
	struct lent_paths paths;
	__u32 sequence;
	__u32 reserved;
};

/* Objects that are on their way, by their address. What never comes back makes room, oldest first. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct lent_key);
	__type(value, struct lent_object);
} lent_objects SEC(".maps");

/* The object to which the text of a path belongs. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct lent_key);
	__type(value, __u64);
} lent_by_path SEC(".maps");

static __always_inline struct lent_object *find_lent(__u64 object, __u32 process)
{
	struct lent_key key = { .address = object, .process = process };

	return bpf_map_lookup_elem(&lent_objects, &key);
}

static __always_inline void link_path(__u64 path, __u32 process, __u64 object)
{
	struct lent_key key = { .address = path, .process = process };

	if (path)
		bpf_map_update_elem(&lent_by_path, &key, &object, BPF_ANY);
}

static __always_inline void unlink_path(__u64 path, __u32 process)
{
	struct lent_key key = { .address = path, .process = process };

	if (path)
		bpf_map_delete_elem(&lent_by_path, &key);
}

/* The object is back, or somebody else's by now. */
static __always_inline void end_loan(__u64 object, __u32 process, struct lent_paths paths)
{
	struct lent_key key = { .address = object, .process = process };

	unlink_path(paths.first, process);
	unlink_path(paths.second, process);
	bpf_map_delete_elem(&lent_objects, &key);
}

/*
 * For calls with a path, after fill_header: a thread of a pool does it for whoever handed the path over, and for nobody
 * if a loop did that served nobody. A path of its own is the work's that the thread was seen to begin, while the loop
 * has not got that back: what it begins after that may be another's, and not seen.
 */
static __always_inline void stamp_by_path(struct event_header *header, struct task_struct *task, __u64 path)
{
	struct lent_key key = { .address = path, .process = header->pid };
	__u64 *object = bpf_map_lookup_elem(&lent_by_path, &key);
	struct lent_object *lent;
	struct unit_state *thread;

	if (!object) {
		if (header->stamp_origin != ORIGIN_WORK)
			return;
		thread = state_of(task, task->pid);
		if (thread && find_lent(thread->socket, header->pid))
			return;
	}
	lent = object ? find_lent(*object, header->pid) : NULL;
	header->stamp_connection = 0;
	header->stamp_sequence = 0;
	header->stamp_origin = ORIGIN_NONE;
	if (!lent || !lent->connection || (lent->paths.first != path && lent->paths.second != path))
		return;
	header->stamp_connection = lent->connection;
	header->stamp_sequence = lent->sequence;
	header->stamp_origin = ORIGIN_WORK;
}

#endif
