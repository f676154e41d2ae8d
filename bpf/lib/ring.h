/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests of io_uring, as the kernel has copied them when they were submitted (Linux 6.1 and later): another thread of the
 * caller can change its own memory, but not these. A request begins with what its operation needs, so it is also one of the
 * structures behind it.
 */
#ifndef THROUGHLINE_RING_H
#define THROUGHLINE_RING_H

#include "lib/read.h"

/* enum io_uring_op of include/uapi/linux/io_uring.h */
enum ring_operation {
	RING_SENDMSG = 9,
	RING_CONNECT = 16,
	RING_OPENAT = 18,
	RING_SEND = 26,
	RING_OPENAT2 = 28,
	RING_RENAMEAT = 35,
	RING_UNLINKAT = 36,
	RING_MKDIRAT = 37,
	RING_SYMLINKAT = 38,
	RING_LINKAT = 39,
	RING_SOCKET = 45,
	RING_SEND_ZC = 47,
	RING_SENDMSG_ZC = 48,
	RING_FTRUNCATE = 55,
	RING_BIND = 56,
	RING_LISTEN = 57,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct io_cqe {
	int res;
	int fd; /* until the request is issued */
};

struct io_kiocb {
	struct file *file;
	unsigned char opcode;
	unsigned int flags; /* 64 bits since Linux 6.9: the lower half, then */
	struct io_cqe cqe;
	void *async_data;
};

/* Linux 7.0 and later wrap the names of files. */
struct delayed_filename {
	struct filename *__incomplete_filename;
};

struct open_how {
	unsigned long long flags;
};

struct io_open {
	int dfd;
	unsigned int file_slot; /* not 0: the file gets no descriptor, but a place in the ring */
	struct filename *filename;
	struct open_how how;
};
struct io_open___delayed {
	struct delayed_filename filename;
};

struct io_unlink {
	int dfd;
	int flags;
	struct filename *filename;
};
struct io_unlink___delayed {
	struct delayed_filename filename;
};

struct io_rename {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
	int flags;
};
struct io_rename___delayed {
	struct delayed_filename oldpath;
	struct delayed_filename newpath;
};

struct io_mkdir {
	int dfd;
	unsigned short mode;
	struct filename *filename;
};
struct io_mkdir___delayed {
	struct delayed_filename filename;
};

/* Of symbolic links, too. */
struct io_link {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
	int flags;
};
struct io_link___delayed {
	struct delayed_filename oldpath;
	struct delayed_filename newpath;
};

struct io_ftrunc {
	long long len;
};

struct io_socket {
	int domain;
	int type;
	int protocol;
};

struct io_listen {
	int backlog;
};

struct io_connect {
	void *addr; /* in user memory */
	int addr_len;
};

struct io_sr_msg {
	void *umsg; /* struct msghdr in user memory, of the operations that have one */
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
};

struct __kernel_sockaddr_storage {
	unsigned short ss_family;
};

/* What an operation on messages keeps: since Linux 6.10 the address that was passed, copied when the request was submitted. */
struct io_async_msghdr {
	struct msghdr msg;
	struct __kernel_sockaddr_storage addr;
};

/* Before that, connect had a structure of its own. */
struct io_async_connect {
	struct __kernel_sockaddr_storage address;
};

#pragma clang attribute pop

#define RING_NAME(type, request, member)                                                               \
	((__u64)(bpf_core_field_exists(((struct type##___delayed *)0)->member.__incomplete_filename) ? \
			 READ((struct type##___delayed *)(request), member.__incomplete_filename) :    \
			 READ((struct type *)(request), member)))

#endif
