/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who floods the security ring loses its own events and nobody else's. While the reader keeps up, everybody may write. When
 * it does not, each cgroup has a share of the ring, anew whenever the reader has come a quarter of it further; and what a
 * flood is made of leaves the other half of the ring to events that cannot come in such numbers. What a cgroup loses is
 * counted for it, and told.
 *
 * A plain table, written without locks: a few bytes more or less of a share do no harm, and no counter of losses is set back.
 */
#ifndef THROUGHLINE_BUDGET_H
#define THROUGHLINE_BUDGET_H

#include "lib/state.h"

#define SLICE_BYTES (SECURITY_RING_BYTES / 4)
/* Below this the reader keeps up: twice the mark at which it is woken. */
#define PRESSURE_BYTES (SECURITY_RING_BYTES / 8)
/* Share of one cgroup, and the fill level above which nothing more comes in. */
#define FREQUENT_SHARE (SECURITY_RING_BYTES / 16)
#define FREQUENT_LEVEL (SECURITY_RING_BYTES / 2)
/* Of a cgroup that starts programs in such numbers, or with such arguments, that the rest would not have room. */
#define RARE_SHARE (SECURITY_RING_BYTES / 8)
#define RARE_LEVEL (SECURITY_RING_BYTES / 4 * 3)
#define BUDGET_PROBES 4

/* Kinds of event by how many of them a program can make in a second. */
enum frequency {
	FREQUENT, /* opens, connects: half a million */
	RARE,     /* programs started: some thousand */
};

static __always_inline struct cgroup_budget *budget_of(__u64 cgroup, __u64 slice)
{
	__u32 first = (cgroup * 0x9e3779b97f4a7c15ULL) >> 56, probe;

	for (probe = 0; probe < BUDGET_PROBES; probe++) {
		struct cgroup_budget *budget = &budgets[(first + probe) & (BUDGET_CGROUPS - 1)];

		if (budget->cgroup_id == cgroup)
			return budget;
		/* Taken over where it says nothing any more. */
		if (!budget->cgroup_id || (budget->slice != slice && budget->lost_events == budget->told_events)) {
			budget->cgroup_id = cgroup;
			return budget;
		}
	}
	return &budgets[BUDGET_OTHERS];
}

static __always_inline void note_loss(struct cgroup_budget *budget, struct event_header *header)
{
	if (budget->lost_events == budget->told_events)
		budget->first_lost_ns = header->time_ns;
	budget->last_lost_ns = header->time_ns;
	budget->last_pid = header->pid;
	__sync_fetch_and_add(&budget->lost_events, 1);
}

/* Whether an event may go into the security ring; counts it as lost where not. */
static __always_inline int is_within_budget(struct event_header *header, __u32 size, enum frequency frequency)
{
	__u64 waiting = bpf_ringbuf_query(&security_ring, BPF_RB_AVAIL_DATA);
	__u64 slice = bpf_ringbuf_query(&security_ring, BPF_RB_CONS_POS) / SLICE_BYTES;
	struct cgroup_budget *budget;
	int is_allowed;

	if (waiting < PRESSURE_BYTES)
		return 1;
	budget = budget_of(header->cgroup_id, slice);
	if (budget->slice != slice) {
		budget->slice = slice;
		budget->used_bytes = 0;
	}
	if (frequency == FREQUENT)
		is_allowed = waiting < FREQUENT_LEVEL && budget->used_bytes < FREQUENT_SHARE;
	else
		is_allowed = waiting < RARE_LEVEL || budget->used_bytes < RARE_SHARE;
	if (is_allowed) {
		__sync_fetch_and_add(&budget->used_bytes, size);
		return 1;
	}
	note_loss(budget, header);
	count(COUNTER_LOST_BUDGET);
	return 0;
}

#endif
