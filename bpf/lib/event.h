/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Filling the header that every event begins with, and handing events to a ring. */
#ifndef THROUGHLINE_EVENT_H
#define THROUGHLINE_EVENT_H

#include "lib/budget.h"
#include "lib/cgroup.h"
#include "lib/goroutine.h"

/* Keeps the compiler from removing the bound on a length that the verifier needs to see. */
#define BOUND(value, mask)                                   \
	do {                                                 \
		asm volatile("" : "+r"(value));              \
		value &= (mask);                             \
	} while (0)

/* A goroutine that has read no request. When it was made is not known, but that it was after its maker had read one. */
static __always_inline void tell_maker(struct event_header *header)
{
	__u64 maker = goroutine_maker();

	if (!maker)
		return;
	header->stamp_connection = maker;
	header->stamp_sequence = (__u32)(header->time_ns >> 10);
	header->stamp_origin = ORIGIN_MADE;
}

/* For callers that have looked up what the task runs already. */
static __always_inline void fill_header_of(struct event_header *header, __u16 kind, struct task_struct *task, __u64 unit,
					   struct unit_state *thread)
{
	header->size = 0;
	header->kind = kind;
	header->version = ABI_VERSION;
	header->flags = 0;
	header->time_ns = bpf_ktime_get_boot_ns();
	header->pid = task->tgid;
	header->tid = task->pid;
	header->unit = unit_number(header->pid, unit, thread);
	header->start_time_ns = process_start_of(task);
	header->cgroup_id = cgroup_of(task);
	header->cpu = bpf_get_smp_processor_id();
	if (thread) {
		header->stamp_connection = thread->connection;
		header->stamp_sequence = thread->sequence;
		header->stamp_origin = thread->origin;
		header->ready_count = thread->ready_count;
		if (thread->origin == ORIGIN_TASK && thread->generation > 1 && thread->made_on == header->tid)
			header->stamp_origin = ORIGIN_SUBTASK;
		if (!thread->connection && thread->maker) {
			header->stamp_connection = thread->maker;
			header->stamp_sequence = thread->made;
			header->stamp_origin = ORIGIN_MADE;
		}
	} else {
		header->stamp_connection = 0;
		header->stamp_sequence = 0;
		header->stamp_origin = ORIGIN_NONE;
		header->ready_count = 0;
		if (!is_thread(unit))
			tell_maker(header);
	}
}

static __always_inline void fill_header(struct event_header *header, __u16 kind, struct task_struct *task)
{
	__u64 unit = unit_of(task);

	fill_header_of(header, kind, task, unit, state_of(task, unit));
}

/*
 * Wakes the reader only when this event takes the ring over the mark, and over its multiples: a wake-up for each event cost a busy
 * server a fifth of its throughput. `waiting` bytes are in the ring with this event, which takes `size`. Over the mark means a little
 * more than that, so that of two events that come in at once one is seen to be it; when many do, the reader may come at its own time.
 */
static __always_inline __u64 wake_flags(__u64 waiting, __u32 size, const __u32 mark)
{
	__u32 over = waiting & (mark - 1);

	return waiting >= mark && over < (size > WAKE_BAND ? size : WAKE_BAND) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* What an event takes of a ring (kernel/bpf/ringbuf.c): a header, and whole words. */
#define RECORD_SIZE(size) (((size) + 15) & ~7)

/* Of an event for which room was reserved, and so counts already. */
static __always_inline __u64 wake_flags_reserved(void *ring, const __u32 mark)
{
	return wake_flags(bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA), 0, mark);
}

/* Returns 0, or another number where the event was lost. */
static __always_inline int submit_to(void *ring, const __u32 mark, enum counter lost, void *event, __u32 size)
{
	__u32 record = RECORD_SIZE(size);

	((struct event_header *)event)->size = size;
	if (((struct event_header *)event)->flags & FLAG_TRUNCATED)
		count(COUNTER_TRUNCATED);
	if (((struct event_header *)event)->flags & FLAG_UNREADABLE)
		count(COUNTER_UNREADABLE);
	if (bpf_ringbuf_output(ring, event, size, wake_flags(bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) + record, record, mark))) {
		if (lost == COUNTER_LOST_PAYLOAD)
			count_unread(lost);
		else
			count(lost);
		return 1;
	}
	count(COUNTER_EVENTS);
	return 0;
}

static __always_inline void submit_security(void *event, __u32 size)
{
	if (submit_to(&security_ring, SECURITY_WAKE_BYTES, COUNTER_LOST_SECURITY, event, size))
		note_loss(&budgets[BUDGET_RING], bpf_ktime_get_boot_ns());
}

/* An event that was admitted: see lib/budget.h. */
static __always_inline void submit_admitted(void *event, __u32 size, enum budget_class class)
{
	if (bpf_ringbuf_query(&security_ring, BPF_RB_AVAIL_DATA) >= PRESSURE_BYTES)
		charge(((struct event_header *)event)->cgroup_id, class, size);
	submit_security(event, size);
}

/* An event that a program can make in any number, or of any size: its cgroup has a share of the ring and no more. */
static __always_inline void submit_within_budget(void *event, __u32 size, enum budget_class class)
{
	if (is_admitted(((struct event_header *)event)->cgroup_id, class))
		submit_admitted(event, size, class);
}

static __always_inline void submit_payload(void *event, __u32 size)
{
	submit_to(&payload_ring, PAYLOAD_WAKE_BYTES, COUNTER_LOST_PAYLOAD, event, size);
}

#endif
