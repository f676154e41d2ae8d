/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who executes: a thread, or what a program's own scheduler runs on it. A goroutine moves between threads, and a thread of
 * asyncio runs one task after the other, so there the request stamp belongs to the goroutine or the task. Which one runs
 * stands in the program's memory, where a register of the thread points, and is read at the system call: no probe, no trap.
 *
 * A unit is a number below 2^53: the thread's id, or the process's id and 31 bits of the unit's own identity. User space finds
 * out how a process keeps its units (src/kernel/runtimes/) and says so in `runtimes`.
 */
#ifndef THROUGHLINE_UNIT_H
#define THROUGHLINE_UNIT_H

#include "lib/state.h"

#define UNIT_BITS 31
#define UNIT_MASK ((1ULL << UNIT_BITS) - 1)

enum runtime_kind {
	RUNTIME_GO = 1,     /* thread -> g -> goid, which is never used again */
	RUNTIME_PYTHON = 2, /* thread -> PyThreadState -> context, an address: told when it is made and freed (runtime.bpf.c) */
};

struct runtime {
	__u64 start_ticks; /* of the process, in clock ticks of 10 ms: its id may be another's by now */
	__s32 thread_offset; /* from the thread's base of thread-local storage to the pointer to what runs there */
	__u32 member_offset; /* from there to the unit's identity */
	__u32 kind;          /* enum runtime_kind */
	__u32 reads_outside; /* its event loop reads before it enters the connection's context: uvloop */
	__u32 tls_layout;    /* Go: where a tls.Conn has what is read of it, found out by go-tls.bpf.c */
	__u32 parent_offset; /* Go: from the goroutine to the number of the one that made it; 0 where the rest is not known: goroutine.h */
	__u64 processors;    /* address of runtime.allp, a slice */
	__u64 taken;         /* address of runtime.sched.goidgen */
	__u32 cache_offset;  /* of runtime.p.goidcache */
	__u32 reserved;
};

/* Processes whose units are no threads. Written by user space, removed with the process or its program. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct runtime);
} runtimes SEC(".maps");

/* Set with the entry, by process id modulo MARKS. */
unsigned char maybe_runtimes[MARKS] = {};
/* A kind whose units are not followed any more: their probes were taken off. */
unsigned int runtime_given_up = 0;
/* Tasks that were seen being made. */
unsigned int tasks_made = 0;

static __always_inline int may_have_runtime(__u32 pid)
{
	return maybe_runtimes[MARK_OF(pid)];
}

static __always_inline int is_thread(__u64 unit)
{
	return unit <= UNIT_MASK;
}

/* What a thread does outside of any unit (Go's scheduler) is nobody's work: such a unit is never stamped. */
static __always_inline int is_nobody(__u64 unit)
{
	return !is_thread(unit) && !(unit & UNIT_MASK);
}

static __always_inline __u64 unit_key(__u32 pid, __u64 identity)
{
	return ((__u64)pid << UNIT_BITS) | (identity & UNIT_MASK);
}

/* Python's contexts are aligned to 16 bytes. */
static __always_inline __u64 context_unit(__u32 pid, __u64 context)
{
	return unit_key(pid, context >> 4);
}

#if defined(__TARGET_ARCH_x86)
#define THREAD_BASE(task) ((task)->thread.fsbase)
#else
/* Goroutines are in a register there, and glibc's thread descriptor elsewhere: user space says nothing of such processes. */
#define THREAD_BASE(task) 0
#endif

/* NULL on a read that fails. */
static __always_inline __u64 read_pointer(__u64 address)
{
	__u64 value = 0;

	return bpf_probe_read_user(&value, sizeof(value), (void *)address) ? 0 : value;
}

static __always_inline __u64 unit_in_runtime(struct task_struct *task, struct runtime *runtime)
{
	__u64 object, identity, unit;

	if (runtime->kind == runtime_given_up)
		return task->pid;
	object = read_pointer(THREAD_BASE(task) + (__s64)runtime->thread_offset);
	identity = object ? read_pointer(object + runtime->member_offset) : 0;
	if (runtime->kind == RUNTIME_GO)
		return unit_key(task->tgid, identity);
	/* A context that was not seen being made, or none: the thread itself is the unit. */
	unit = context_unit(task->tgid, identity);
	return identity && bpf_map_lookup_elem(&units, &unit) ? unit : task->pid;
}

/* How the task's process keeps its units; NULL where they are its threads. */
static __always_inline struct runtime *runtime_of(struct task_struct *task)
{
	struct runtime *runtime;
	__u32 pid = task->tgid;

	if (!may_have_runtime(pid))
		return NULL;
	runtime = bpf_map_lookup_elem(&runtimes, &pid);
	return runtime && runtime->start_ticks == process_start_of(task) / NANOSECONDS_PER_TICK ? runtime : NULL;
}

/*
 * A function of its own: the verifier goes through it once, and not for each way that leads to each of its many callers,
 * which would make loading take seconds.
 */
__noinline __u64 current_unit(void)
{
	struct task_struct *task = current_task();
	struct runtime *runtime = runtime_of(task);

	return runtime ? unit_in_runtime(task, runtime) : task->pid;
}

/* The unit that the current task runs. */
static __always_inline __u64 unit_of(struct task_struct *task)
{
	return may_have_runtime(task->tgid) ? current_unit() : task->pid;
}

/* The goroutine that the current task runs: 0 for none, as in other programs, in Go's scheduler and in C code. */
static __always_inline __u64 goroutine_of(struct task_struct *task)
{
	struct runtime *runtime = runtime_of(task);
	__u64 unit;

	if (!runtime || runtime->kind != RUNTIME_GO)
		return 0;
	unit = unit_in_runtime(task, runtime);
	return is_thread(unit) || is_nobody(unit) ? 0 : unit;
}

/* A thread's id and a process's may be another's by now: their start tells. */
static __always_inline __u64 start_of(struct task_struct *task, __u64 unit)
{
	return is_thread(unit) ? task->start_boottime : process_start_of(task);
}

static __always_inline struct unit_state *state_of(struct task_struct *task, __u64 unit)
{
	struct unit_state *state = bpf_map_lookup_elem(&units, &unit);

	return state && state->start_time_ns == start_of(task, unit) ? state : NULL;
}

static __always_inline void put_state(struct task_struct *task, __u64 unit, struct unit_state *state)
{
	if (is_nobody(unit))
		return;
	state->start_time_ns = start_of(task, unit);
	if (bpf_map_update_elem(&units, &unit, state, BPF_ANY))
		count(COUNTER_THREADS_FULL);
}

/* How user space knows the unit: one number for each task that there ever was. */
static __always_inline __u64 unit_number(__u32 pid, __u64 unit, struct unit_state *state)
{
	return state && state->identity ? unit_key(pid, state->identity) : unit;
}

/* The unit that the current task runs, if it has ever served a request. */
static __always_inline struct unit_state *running_unit(struct task_struct *task)
{
	return state_of(task, unit_of(task));
}

#endif
