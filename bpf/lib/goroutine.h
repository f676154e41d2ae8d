/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who made a goroutine (Go 1.21 and later keep its number), and whether that was in the request which the maker serves now: a
 * goroutine that was made for the one before and comes late must not be taken for this one's. No probe tells when a goroutine is
 * made, but their numbers do: each of the scheduler's processors hands out sixteen in their order before it takes the next
 * sixteen. What they had handed out when the request was read is noted; higher numbers came later.
 */
#ifndef THROUGHLINE_GOROUTINE_H
#define THROUGHLINE_GOROUTINE_H

#include "lib/unit.h"

/* runtime._GoidCacheBatch; a batch begins with 16 n + 1. */
#define GOROUTINE_BATCH 16
/* Of the scheduler; of numbers that others hand out it is not known when. */
#define MAX_PROCESSORS 16

/* So many that a request has made and that did something are remembered; of more it is not known whether they have ended. */
#define MAX_MADE 8
/* runtime.g has its status (with a lock behind it) before its number: runtime._Gdead, with or without _Gscan. */
#define STATUS_DEAD 6
#define STATUS_SCAN 0x1000

struct made_goroutine {
	__u64 address;
	__u64 number;
};

/* When a goroutine read its request. */
struct goroutine_mark {
	__u64 connection;
	__u32 sequence;
	__u32 made_count;
	struct made_goroutine made[MAX_MADE];
	__u64 taken;                /* the last number of all batches that anybody had taken */
	__u64 next[MAX_PROCESSORS]; /* of each processor, within its batch; 0 where none is left */
};

/* By unit. Nothing tells the end of a goroutine, so the oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct goroutine_mark);
} goroutine_marks SEC(".maps");

static __always_inline __u64 batch_of(__u64 number)
{
	return (number - 1) / GOROUTINE_BATCH;
}

/* runtime.p.goidcache and goidcacheend. */
static __always_inline __u64 next_number(__u64 processor, __u32 offset)
{
	__u64 range[2] = {};

	if (!processor || bpf_probe_read_user(range, sizeof(range), (void *)(processor + offset)))
		return 0;
	return range[0] && range[0] < range[1] && batch_of(range[0]) == batch_of(range[1] - 1) ? range[0] : 0;
}

/* Too large for the stack beside those who call this: written where it stays. */
static const struct goroutine_mark NO_MARK = {};

/* The current goroutine has read bytes of a request; only the first ones count. */
__noinline int note_goroutines(__u64 unit, __u64 connection, __u32 sequence)
{
	struct task_struct *task = current_task();
	struct runtime *runtime = runtime_of(task);
	struct goroutine_mark *mark;
	__u64 slice[2] = {};
	__u32 index;

	if (!runtime || runtime->kind != RUNTIME_GO || !runtime->parent_offset)
		return 0;
	mark = bpf_map_lookup_elem(&goroutine_marks, &unit);
	if (mark && mark->connection == connection && mark->sequence == sequence)
		return 0;
	if (!mark) {
		bpf_map_update_elem(&goroutine_marks, &unit, &NO_MARK, BPF_ANY);
		mark = bpf_map_lookup_elem(&goroutine_marks, &unit);
	}
	if (!mark || bpf_probe_read_user(slice, sizeof(slice), (void *)runtime->processors))
		return 0;
	mark->connection = connection;
	mark->sequence = sequence;
	mark->made_count = 0;
	for (index = 0; index < MAX_PROCESSORS; index++) {
		if (index >= slice[1])
			mark->next[index] = 0;
		else
			mark->next[index] = next_number(read_pointer(slice[0] + 8 * index), runtime->cache_offset);
	}
	/* Last: what is taken while this is read counts as taken before. Unread, everything was. */
	mark->taken = read_pointer(runtime->taken);
	if (!mark->taken)
		mark->taken = ~0ULL;
	return 0;
}

static __always_inline int was_made_since(struct goroutine_mark *mark, __u64 number)
{
	__u32 index;

	for (index = 0; index < MAX_PROCESSORS; index++)
		if (mark->next[index] && batch_of(mark->next[index]) == batch_of(number))
			return number >= mark->next[index];
	return number > mark->taken;
}

static __always_inline void remember_made(struct goroutine_mark *mark, __u64 address, __u64 number)
{
	__u32 index;

	for (index = 0; index < MAX_MADE; index++)
		if (index < mark->made_count && mark->made[index].address == address && mark->made[index].number == number)
			return;
	index = __sync_fetch_and_add(&mark->made_count, 1);
	if (index >= MAX_MADE)
		return;
	mark->made[index].address = address;
	mark->made[index].number = number;
}

/*
 * Whether any goroutine that the current one has made in its request still runs: then it need not be one that the request waits
 * for, but may serve others as well.
 */
__noinline int goroutines_run(void)
{
	struct task_struct *task = current_task();
	struct runtime *runtime = runtime_of(task);
	struct goroutine_mark *mark;
	__u64 unit, words[2];
	__u32 index;

	if (!runtime || runtime->kind != RUNTIME_GO || !runtime->parent_offset)
		return 0;
	unit = unit_in_runtime(task, runtime);
	mark = bpf_map_lookup_elem(&goroutine_marks, &unit);
	if (!mark || !mark->made_count)
		return 0;
	if (mark->made_count > MAX_MADE)
		return 1;
	for (index = 0; index < MAX_MADE; index++) {
		if (index >= mark->made_count)
			break;
		if (bpf_probe_read_user(words, sizeof(words), (void *)(mark->made[index].address + runtime->member_offset - 8)))
			return 1;
		if (words[1] == mark->made[index].number && ((__u32)words[0] & ~STATUS_SCAN) != STATUS_DEAD)
			return 1;
	}
	return 0;
}

/* The goroutine that made the current one while it served the request that it still serves; 0 for none, or where nothing proves it. */
__noinline __u64 goroutine_maker(void)
{
	struct task_struct *task = current_task();
	struct runtime *runtime = runtime_of(task);
	struct goroutine_mark *mark;
	struct unit_state *maker;
	__u64 goroutine, number, parent, unit;

	if (!runtime || runtime->kind != RUNTIME_GO || !runtime->parent_offset)
		return 0;
	goroutine = read_pointer(THREAD_BASE(task) + (__s64)runtime->thread_offset);
	parent = goroutine ? read_pointer(goroutine + runtime->parent_offset) : 0;
	if (!parent)
		return 0;
	unit = unit_key(task->tgid, parent);
	maker = state_of(task, unit);
	mark = bpf_map_lookup_elem(&goroutine_marks, &unit);
	if (!maker || !maker->connection || maker->origin != ORIGIN_READ || !mark)
		return 0;
	number = read_pointer(goroutine + runtime->member_offset);
	if (!was_made_since(mark, number))
		return 0;
	remember_made(mark, goroutine, number);
	return unit;
}

#endif
