/*
 * Opens files for writing as fast as some processes can, for some seconds, and prints how often, and how many nanoseconds of processor
 * time each took.
 *
 *   open-flood SECONDS PROCESSES WAY DIRECTORY
 *
 * WAY: existing (each process has a file of its own, and closes it), missing (there is no such file), ring (likewise, in batches
 * through io_uring).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROCESSES 64
#define BATCH 64

struct result {
	long opens;
	long cpu_ns;
};

static long now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static long by_call(long until_ns, const char *path, int is_missing)
{
	long opens = 0;

	do {
		for (int i = 0; i < BATCH; i++) {
			int descriptor = open(path, O_WRONLY | O_CLOEXEC);

			if ((descriptor < 0) != is_missing)
				fail("open-flood: open");
			if (!is_missing)
				close(descriptor);
		}
		opens += BATCH;
	} while (now_ns(CLOCK_MONOTONIC) < until_ns);
	return opens;
}

static long by_ring(long until_ns, const char *path)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, BATCH, &params);
	struct io_uring_sqe *entries;
	unsigned int *tail, *array;
	unsigned int *seen, *done;
	char *submissions, *completions;
	long opens = 0;

	if (ring < 0)
		fail("open-flood: io_uring_setup");
	submissions = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(*array), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	completions = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
			   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	entries = mmap(NULL, params.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       ring, IORING_OFF_SQES);
	if (submissions == MAP_FAILED || completions == MAP_FAILED || entries == MAP_FAILED)
		fail("open-flood: mmap");
	tail = (unsigned int *)(submissions + params.sq_off.tail);
	array = (unsigned int *)(submissions + params.sq_off.array);
	seen = (unsigned int *)(completions + params.cq_off.head);
	done = (unsigned int *)(completions + params.cq_off.tail);
	for (int i = 0; i < BATCH; i++) {
		entries[i] = (struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
						    .fd = AT_FDCWD,
						    .addr = (uintptr_t)path,
						    .open_flags = O_WRONLY | O_CLOEXEC };
		array[i] = i;
	}
	do {
		__atomic_store_n(tail, *tail + BATCH, __ATOMIC_RELEASE);
		if (syscall(SYS_io_uring_enter, ring, BATCH, BATCH, IORING_ENTER_GETEVENTS, NULL, 0) != BATCH)
			fail("open-flood: io_uring_enter");
		__atomic_store_n(seen, __atomic_load_n(done, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
		opens += BATCH;
	} while (now_ns(CLOCK_MONOTONIC) < until_ns);
	return opens;
}

static void flood(struct result *result, long until_ns, const char *way, const char *directory, int index)
{
	int is_existing = !strcmp(way, "existing");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s-%d", directory, is_existing ? "file" : "missing", index);
	if (is_existing && close(open(path, O_WRONLY | O_CREAT, 0600)))
		fail("open-flood: file");
	result->opens = !strcmp(way, "ring") ? by_ring(until_ns, path) : by_call(until_ns, path, !is_existing);
	result->cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int main(int argc, char **argv)
{
	struct result *results, total = { 0 };
	int count, status, is_failed = 0;
	long until_ns;

	if (argc != 5 || (count = atoi(argv[2])) < 1 || count > MAX_PROCESSES) {
		fprintf(stderr, "usage: open-flood SECONDS PROCESSES existing|missing|ring DIRECTORY\n");
		return 2;
	}
	results = mmap(NULL, count * sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		fail("open-flood: mmap");
	until_ns = now_ns(CLOCK_MONOTONIC) + atof(argv[1]) * 1e9;
	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("open-flood: fork");
		if (!child) {
			flood(&results[i], until_ns, argv[3], argv[4], i);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		is_failed |= status;
	for (int i = 0; i < count; i++) {
		total.opens += results[i].opens;
		total.cpu_ns += results[i].cpu_ns;
	}
	printf("%ld %ld\n", total.opens, total.opens ? total.cpu_ns / total.opens : 0);
	return is_failed != 0;
}
