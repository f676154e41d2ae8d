/*
 * Does through io_uring what it is asked to, one operation for each argument, and prints its pid and then the result of each. Raw
 * system calls: no library is needed.
 *
 *   ring [sqpoll | skip | overflow] DIRECTORY IPV4-PORT UDP-PORT
 *   ring read FILE
 *
 * sqpoll: a thread of the kernel's submits; skip: nothing is told of what succeeded; overflow: the ring of results is full
 * and nobody looks at it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 8

static int ring;
static unsigned *sq_tail, *sq_mask, *sq_array, *sq_flags, *cq_head, *cq_tail, *cq_mask;
static struct io_uring_sqe *sqes;
static struct io_uring_cqe *cqes;
static int is_polled, is_skipped;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void set_up(unsigned flags)
{
	struct io_uring_params params = { .flags = flags, .sq_thread_idle = 2000 };
	char *sq, *cq;

	ring = syscall(SYS_io_uring_setup, ENTRIES, &params);
	if (ring < 0)
		fail("io_uring_setup");
	sq = mmap(0, params.sq_off.array + params.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	cq = mmap(0, params.cq_off.cqes + params.cq_entries * sizeof(*cqes), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	sqes = mmap(0, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
		    IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		fail("mmap");
	sq_tail = (unsigned *)(sq + params.sq_off.tail);
	sq_mask = (unsigned *)(sq + params.sq_off.ring_mask);
	sq_array = (unsigned *)(sq + params.sq_off.array);
	sq_flags = (unsigned *)(sq + params.sq_off.flags);
	cq_head = (unsigned *)(cq + params.cq_off.head);
	cq_tail = (unsigned *)(cq + params.cq_off.tail);
	cq_mask = (unsigned *)(cq + params.cq_off.ring_mask);
	cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
}

static void submit(struct io_uring_sqe *sqe, unsigned wait)
{
	unsigned tail = *sq_tail, index = tail & *sq_mask, flags = wait ? IORING_ENTER_GETEVENTS : 0;

	sqes[index] = *sqe;
	if (is_skipped)
		sqes[index].flags |= IOSQE_CQE_SKIP_SUCCESS;
	sq_array[index] = index;
	atomic_store((_Atomic unsigned *)sq_tail, tail + 1);
	if (is_polled) {
		if (atomic_load((_Atomic unsigned *)sq_flags) & IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
		else if (!wait)
			return;
	}
	if (syscall(SYS_io_uring_enter, ring, is_polled ? 0 : 1, wait, flags, 0, 0) < 0)
		fail("io_uring_enter");
}

/* Prints the result of the operation, where there is one to wait for. */
static int do_it(struct io_uring_sqe sqe)
{
	int result;

	submit(&sqe, !is_skipped);
	if (is_skipped) {
		usleep(50000);
		if (*cq_head == atomic_load((_Atomic unsigned *)cq_tail)) {
			puts("0");
			return 0;
		}
	}
	while (*cq_head == atomic_load((_Atomic unsigned *)cq_tail))
		usleep(1000);
	result = cqes[*cq_head & *cq_mask].res;
	atomic_store((_Atomic unsigned *)cq_head, *cq_head + 1);
	printf("%d\n", result);
	return result;
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

int main(int count, char **arguments)
{
	const char *mode = count > 4 ? arguments[1] : "";
	int first = count - 3, udp;
	struct open_how how = { .flags = O_RDONLY };
	struct sockaddr_in tcp_address, udp_address;
	struct iovec bytes = { "datagram", 8 };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_namelen = sizeof(udp_address) };
	struct io_uring_sqe sqe;
	int index;

	if (count == 3 && !strcmp(arguments[1], "read")) {
		set_up(0);
		do_it((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)arguments[2],
					     .open_flags = O_RDONLY });
		return 0;
	}
	if (count < 4)
		return 2;
	is_polled = !strcmp(mode, "sqpoll");
	is_skipped = !strcmp(mode, "skip");
	setvbuf(stdout, 0, _IOLBF, 0);
	printf("%d\n", getpid());
	if (chdir(arguments[first]))
		fail("chdir");
	tcp_address = loopback(atoi(arguments[first + 1]));
	udp_address = loopback(atoi(arguments[first + 2]));
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	set_up(is_polled ? IORING_SETUP_SQPOLL : 0);
	if (!strcmp(mode, "overflow")) {
		/* Results of nothing fill the ring, twice as long as that of requests. */
		for (index = 0; index < 2 * ENTRIES; index++)
			submit(&(struct io_uring_sqe){ .opcode = IORING_OP_NOP }, 0);
		submit(&(struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)"created",
					       .len = 0600, .open_flags = O_CREAT | O_WRONLY }, 0);
		usleep(100000);
		return 0;
	}
	sqe = (struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)"link",
				     .open_flags = O_WRONLY };
	do_it(sqe);
	sqe.addr = (uintptr_t)"sub/../absent";
	do_it(sqe);
	sqe.addr = (uintptr_t)"created";
	sqe.open_flags = O_WRONLY | O_CREAT | O_EXCL;
	sqe.len = 0600;
	do_it(sqe);
	/* The kernel takes the same memory for the next request: its failure is told, and is none of what was hidden before. */
	sqe.addr = (uintptr_t)"nothing";
	sqe.open_flags = O_RDONLY;
	if (is_skipped)
		do_it(sqe);
	how.flags = O_RDWR;
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT2, .fd = AT_FDCWD, .addr = (uintptr_t)arguments[0],
				     .len = sizeof(how), .off = (uintptr_t)&how });
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_MKDIRAT, .fd = AT_FDCWD, .addr = (uintptr_t)"made", .len = 0750 });
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_RENAMEAT, .fd = AT_FDCWD, .addr = (uintptr_t)"created",
				     .len = AT_FDCWD, .off = (uintptr_t)"made/renamed" });
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_SYMLINKAT, .fd = AT_FDCWD, .addr = (uintptr_t)"/etc/passwd",
				     .off = (uintptr_t)"symbolic" });
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_LINKAT, .fd = AT_FDCWD, .addr = (uintptr_t)"target",
				     .len = AT_FDCWD, .off = (uintptr_t)"linked" });
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = (uintptr_t)"linked" });
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_STREAM });
	if (is_skipped)
		do_it((struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = -1 });
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_CONNECT, .fd = socket(AF_INET, SOCK_STREAM, 0),
				     .addr = (uintptr_t)&tcp_address, .off = sizeof(tcp_address) });
	tcp_address = loopback(1);
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_CONNECT, .fd = socket(AF_INET, SOCK_STREAM, 0),
				     .addr = (uintptr_t)&tcp_address, .off = sizeof(tcp_address) });
	message.msg_name = &udp_address;
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_SENDMSG, .fd = udp, .addr = (uintptr_t)&message, .len = 1 });
	do_it((struct io_uring_sqe){ .opcode = IORING_OP_SEND, .fd = udp, .addr = (uintptr_t)"datagram", .len = 8,
				     .addr2 = (uintptr_t)&udp_address, .addr_len = sizeof(udp_address) });
	return 0;
}
