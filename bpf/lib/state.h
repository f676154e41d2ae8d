/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Everything that the programs share: what user space wants, the rings, the counters and the maps. Every map is
 * bounded; each way to run out of room has a counter.
 */
#ifndef THROUGHLINE_STATE_H
#define THROUGHLINE_STATE_H

#include "lib/read.h"
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>
#include "abi.h"

#ifndef likely
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#endif

#define MAX_SYSCALLS 512
/* Of syscall_exits; no system call has this number. */
#define COMPAT_SLOT (MAX_SYSCALLS - 1)
#define SCRATCH_SIZE 65536
#define SECURITY_RING_BYTES (4 * 1024 * 1024)

/*
 * Fill level of a ring at which the reader is woken at once; below it, it comes by itself after its timeout: each time costs what some
 * fifty plain exchanges do, so a busy server, with whose bytes the reader keeps up, is not to wake it more often than it comes.
 */
#define SECURITY_WAKE_BYTES (256 * 1024)
#define PAYLOAD_WAKE_BYTES (1024 * 1024)
#define WAKE_BAND 2048

/*
 * What nearly every event looks at stands side by side, in one page: a busy server leaves nothing of it in the processor's caches from
 * one event to the next, and lines that have to come back are most of what a program costs. Variables are laid out in their order.
 */

/* Set by user space, memory-mapped: a bit for each system call that some sensor wants. */
unsigned long long wanted_syscalls[MAX_SYSCALLS / 64] __attribute__((aligned(64))) = {};
/* Likewise by the numbers of 32-bit programs: see sensors/compat.bpf.c. */
unsigned long long wanted_compat[MAX_SYSCALLS / 64] = {};
/* Nought, which neither compiler nor verifier knows. */
unsigned int unknown_nought = 0;
/* Marks of serving processes that were taken away while the process lives: until the next, it need not be marked again. */
unsigned int serving_marks_taken = 0;
/* Set by user space while some TLS library is probed: nobody else pays for what lib/tls.h needs. */
unsigned int tls_attached = 0;
/* The agent itself is not observed: its own writes would feed themselves. */
unsigned int agent_pid = 0;
/* A row for each processor, so that counting needs no atomic operation. Memory-mapped by user space. */
unsigned long long counters[COUNTER_CPUS][COUNTER_MAX] __attribute__((aligned(64))) = {};

/*
 * Who was about to read or write the bytes that were lost: the last so many times, each with its number, which begins with 1. Where
 * that is known, only what these processes serve is doubted (src/kernel/unread-log.ts).
 */
#define UNREAD_ENTRIES 1024
unsigned long long unread_log[UNREAD_ENTRIES] = {};
unsigned long long unread_count = 0;

/* See lib/budget.h. Memory-mapped by user space. */
struct cgroup_budget budgets[BUDGET_SLOTS] __attribute__((aligned(64))) = {};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, __u32);
	__type(value, __u32);
} syscall_exits SEC(".maps");

/* Security events are few and never starved by payload, which is large and the first to be shed. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SECURITY_RING_BYTES);
} security_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} payload_ring SEC(".maps");

struct scratch {
	__u32 busy;
	__u32 slot;   /* of scratches: for functions of their own, which the verifier lets have no pointer to it */
	__u32 cursor; /* where the next bytes go; in memory, so that the verifier forgets what it knew of it: see append_path */
	__u8 data[SCRATCH_SIZE + 4096];
	struct exec_details details; /* filled here and copied behind the other sections, wherever these end */
};

/*
 * One for each processor, behind the spare ones: a plain array, since values of per-CPU maps are limited to 32 KiB. Sized at load
 * (src/kernel/loader.ts).
 */
#define SPARE_SCRATCHES 8
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* Written by user space: ids of connections whose protocol nobody reads. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u8);
} ignored_connections SEC(".maps");

/* Local TCP ports that somebody listens on: tells accepted connections that were open before the agent came. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u16);
	__type(value, __u8);
} listening_ports SEC(".maps");

/*
 * What a look-up in a map would find, by the key modulo MARKS, so that the many that would find nothing pay for one byte. A mark
 * may stay when its reason is gone, or be another's: then the map is asked in vain.
 */
#define MARKS 16384
#define MARK_OF(key) ((key) & (MARKS - 1))
unsigned char maybe_listening[MARKS] = {};

struct unit_state {
	/* First what each message looks at. */
	__u64 connection;
	__u64 socket; /* key of the connection map, to see whether it was answered */
	__u64 start_time_ns;
	__u32 sequence;
	__u8 origin;
	__u8 is_unix;
	__u8 ready_count; /* see struct event_header */
	__u8 is_loop;     /* it has come back from epoll_wait */
	__u8 immediates;  /* enum immediates, of lib/immediates.h */
	__u8 asks_immediates; /* some were seen, once: the loop is looked at whenever it turns to somebody else */
	__u8 has_read;   /* a loop: it has read a request, and whoever gets it has not begun: see runtime.bpf.c */
	__u8 generation; /* of a task: 1 for one that the reader of the request made */
	__u32 marked_at; /* its process was marked as serving when this many marks had been taken away, and one */
	/* Of tasks alone, whose key is an address that will be another's: see unit_number(). */
	__u32 identity;
	__u32 made_on; /* the thread on which it was made */
	__u64 maker;
	__u32 made; /* see ORIGIN_MADE */
	/* The request whose code has asked for immediates that are still to run. */
	__u32 immediate_sequence;
	__u64 immediate_connection;
	__u64 loop; /* address of the thread's uv_loop_t, once seen */
};

enum immediates {
	IMMEDIATES_NONE = 0,
	IMMEDIATES_OWNED = 1,
	IMMEDIATES_SHARED = 2,   /* others may have asked for some as well */
	IMMEDIATES_UNWATCHED = 3, /* if there are any, it is not known who asked for them */
};

/*
 * The request that each unit serves (lib/unit.h), by its number. Only units that read requests, and what they fork or make,
 * have an entry. One map, since the verifier follows every way behind a pointer of either of two. A thread's goes with the thread;
 * nothing tells the end of a goroutine, so the oldest make room.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct unit_state);
} units SEC(".maps");

/* Processes that serve requests, or descend from one that does; the value is the connection that made them so. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, __u64);
} serving_processes SEC(".maps");

/* Processes by their id modulo MARKS that were marked as serving in their lives, and of which units may have a state. */
unsigned int maybe_serving[MARKS] = {};

/* Threads of the agent, by which it can be signalled and traced as by its process. Seeded by user space, kept by the fork and exit programs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, __u8);
} agent_threads SEC(".maps");

static __always_inline void count(enum counter which)
{
	__u32 cpu = bpf_get_smp_processor_id() & (COUNTER_CPUS - 1);

	counters[cpu][which]++;
}

/* Bytes of the current process are lost. A function of its own, so that the stack of those who call it does not grow. */
__noinline int note_unread(void)
{
	__u64 number = __sync_fetch_and_add(&unread_count, 1);

	unread_log[number & (UNREAD_ENTRIES - 1)] = (number + 1) << 32 | bpf_get_current_pid_tgid() >> 32;
	return 0;
}

/* Counts bytes of the current process that nobody gets to read: noted first, so that what is counted is noted. */
static __always_inline void count_unread(enum counter which)
{
	note_unread();
	count(which);
}

/*
 * As the verifier trusts it: its own numbers are loaded plainly. What a pointer in it leads to is read by way of DISTRUST, at
 * the price of a test for each load (bpf_jit_comp.c of Linux: 50 bytes of code).
 */
static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task_btf();
}

/* When the process of a task began, in ns since boot. */
static __always_inline __u64 process_start_of(struct task_struct *task)
{
	return likely(task->pid == task->tgid) ? task->start_boottime : DISTRUST(task)->group_leader->start_boottime;
}

/* 32-bit calls have other numbers and argument layouts: TS_COMPAT on x86, TIF_32BIT on arm64. */
static __always_inline int is_compat_call(void)
{
	struct task_struct *task = current_task();
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & 2;
#else
	return (task->thread_info.flags >> 22) & 1;
#endif
}

static __always_inline int is_agent(void)
{
	return (bpf_get_current_pid_tgid() >> 32) == agent_pid;
}

static __always_inline int is_claimed(__u32 slot)
{
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &slot);

	if (!scratch || __sync_lock_test_and_set(&scratch->busy, 1))
		return 0;
	scratch->slot = slot;
	return 1;
}

/* The slot of a scratch buffer that is the caller's from now on, or -1. A function of its own, which the verifier goes through once. */
__noinline int claim_slot(void)
{
	__u32 slot = SPARE_SCRATCHES + bpf_get_smp_processor_id();

	if (is_claimed(slot))
		return slot;
	for (slot = 0; slot < SPARE_SCRATCHES; slot++)
		if (is_claimed(slot))
			return slot;
	return -1;
}

#define SCRATCH_OF(bytes) ((struct scratch *)((bytes) - __builtin_offsetof(struct scratch, data)))

static __always_inline struct scratch *scratch_in(__u32 slot)
{
	return bpf_map_lookup_elem(&scratches, &slot);
}

/*
 * A scratch buffer: the processor's own, or a spare one. Some programs can be interrupted in the middle, by an interrupt or, on kernels
 * that interrupt themselves, by another task that gets the processor and keeps it for long: so each buffer belongs to whoever
 * has changed its mark, in one step. Where none is left an event is lost and counted; two are never mixed. Give it back with
 * scratch_release.
 */
static __always_inline struct scratch *scratch_acquire(void)
{
	int slot = claim_slot();
	struct scratch *scratch = slot < 0 ? NULL : scratch_in(slot);

	if (!scratch)
		count(COUNTER_SCRATCH_BUSY);
	return scratch;
}

/* In one step as well: a spare one may be another processor's next, which must not write before we have read. */
static __always_inline void scratch_release(struct scratch *scratch)
{
	if (scratch->slot < SPARE_SCRATCHES)
		__sync_lock_test_and_set(&scratch->busy, 0);
	else
		*(volatile __u32 *)&scratch->busy = 0;
}

#endif
