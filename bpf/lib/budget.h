/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who floods the security ring loses its own events and nobody else's. In each window of time a cgroup may have so many events
 * told of each class, which is more than honest work has and less than keeps the reader from its own work. And when the reader
 * does not keep up all the same, each has a share of the ring, anew whenever the reader has come a quarter of it
 * further; what floods are made of leaves the other half of the ring to events that cannot come in such numbers. That share is
 * a multiple of the room that is left: one service that works hard while the reader waits for a processor has nearly all of
 * that half, and there is always some for another. What a cgroup loses is counted for it, and told.
 *
 * What is over the budget is to cost next to nothing: the test stands before anything is looked up or read, and asks the ring
 * only where the window has room.
 *
 * A plain table, written without locks: a few events more or less of a share do no harm, and no counter of losses is set back.
 */
#ifndef THROUGHLINE_BUDGET_H
#define THROUGHLINE_BUDGET_H

#include "lib/state.h"

/* Of 2^27 ns: seven and a half a second. */
#define WINDOW_SHIFT 27
#define WINDOW_EVENTS 6144
/* Ticks of the kernel's clock, 1 to 10 ms each, after which the place of a cgroup that did nothing may be another's. */
#define IDLE_TICKS 256

#define SLICE_BYTES (SECURITY_RING_BYTES / 4)
/* Below this the reader keeps up: twice the mark at which it is woken. */
#define PRESSURE_BYTES (SECURITY_RING_BYTES / 8)
/*
 * The fill level above which nothing more comes in, and so many times the room below it is the share of one cgroup: alone it
 * gets to 85 % of the level, and a second one has three fifths of the level as its share then.
 */
#define FREQUENT_LEVEL (SECURITY_RING_BYTES / 2)
#define FREQUENT_SHARES 4
/* Of a cgroup that starts programs in such numbers, or with such arguments, that the rest would not have room. */
#define RARE_SHARE (SECURITY_RING_BYTES / 8)
#define RARE_LEVEL (SECURITY_RING_BYTES / 4 * 3)
#define BUDGET_PROBES 4

static __always_inline struct cgroup_budget *budget_of(__u64 cgroup, enum budget_class class, __u32 tick)
{
	__u64 key = cgroup << 2 | class;
	__u32 first = (key * 0x9e3779b97f4a7c15ULL) >> 54, probe;

	for (probe = 0; probe < BUDGET_PROBES; probe++) {
		struct cgroup_budget *budget = &budgets[(first + probe) & (BUDGET_SHARES - 1)];

		if (budget->key == key)
			return budget;
		/* Taken over where it says nothing any more. */
		if (!budget->key || (tick - budget->tick > IDLE_TICKS && budget->lost_events == budget->told_events)) {
			budget->key = key;
			budget->window_events = budget->used_bytes = 0;
			return budget;
		}
	}
	return &budgets[BUDGET_OTHERS];
}

/* `now`: 0 within the tick of an event before. */
static __always_inline void note_loss(struct cgroup_budget *budget, __u64 now)
{
	if (budget->lost_events == budget->told_events) {
		now = bpf_ktime_get_boot_ns();
		budget->first_lost_ns = now;
	}
	if (now) {
		budget->last_lost_ns = now;
		budget->last_pid = bpf_get_current_pid_tgid() >> 32;
	}
	__sync_fetch_and_add(&budget->lost_events, 1);
}

/* Room in the ring for one more event of this cgroup, when the reader does not keep up. */
static __always_inline int has_share(struct cgroup_budget *budget, enum budget_class class, __u64 waiting)
{
	__u32 slice = bpf_ringbuf_query(&security_ring, BPF_RB_CONS_POS) / SLICE_BYTES;

	if (budget->slice != slice) {
		budget->slice = slice;
		budget->used_bytes = 0;
	}
	if (class == BUDGET_PROGRAMS)
		return waiting < RARE_LEVEL || budget->used_bytes < RARE_SHARE;
	return waiting < FREQUENT_LEVEL && budget->used_bytes < FREQUENT_SHARES * (FREQUENT_LEVEL - waiting);
}

/*
 * Whether one more event of this class may be told of the cgroup; counts it as lost where not. Whoever gets a yes tells it with
 * submit_admitted. Events that nobody can make in large numbers do not ask.
 */
static __always_inline int is_admitted(__u64 cgroup, enum budget_class class)
{
	/* A load, where the time itself is a question to the processor: that is asked once a tick. */
	__u32 tick = bpf_jiffies64();
	struct cgroup_budget *budget = budget_of(cgroup, class, tick);
	__u64 waiting, now = 0;

	if (budget->tick != tick) {
		now = bpf_ktime_get_boot_ns();
		budget->tick = tick;
		if (budget->window != (__u32)(now >> WINDOW_SHIFT)) {
			budget->window = now >> WINDOW_SHIFT;
			budget->window_events = 0;
		}
	}
	if (class == BUDGET_PROGRAMS || budget->window_events < WINDOW_EVENTS) {
		waiting = bpf_ringbuf_query(&security_ring, BPF_RB_AVAIL_DATA);
		if (waiting < PRESSURE_BYTES || has_share(budget, class, waiting)) {
			budget->window_events++;
			return 1;
		}
	}
	note_loss(budget, now);
	count(COUNTER_LOST_BUDGET);
	return 0;
}

/* So many bytes of the ring are the cgroup's. */
static __always_inline void charge(__u64 cgroup, enum budget_class class, __u32 size)
{
	__sync_fetch_and_add(&budget_of(cgroup, class, bpf_jiffies64())->used_bytes, size);
}

#endif
