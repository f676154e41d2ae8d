/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is done through io_uring, without a system call for it: told by the same events as the calls would be.
 *
 * A request is told when it is submitted, with -EINPROGRESS for its result: the paths and addresses are the kernel's copies by then,
 * and nothing that its owner does later can keep it from being told. When it is complete it is told once more, with its
 * result and, of a file that was opened, with the kernel's own path. A completion that never comes to pass (a ring that its owner
 * lets overflow, or never looks at) loses the second event, never the first.
 *
 * The kernel threads of a ring (IORING_SETUP_SQPOLL, workers) are threads of the process that owns it: what they do is told of that
 * process, without the stamp of a thread.
 */
#include "lib/connected.h"
#include "lib/opened.h"
#include "lib/ring.h"
#include "lib/trampoline.h"
/* With it in one unit: action.bpf.c, whose plans and arguments these are, too. */

/* Of what was submitted, so much is kept until its result is known. */
#define HELD_LIMIT 1024

struct held_request {
	__u8 event[HELD_LIMIT];
	__u64 operation;
};

/* By address of the request. The oldest make room: they were told already. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct held_request);
} held_requests SEC(".maps");

#define BIT(operation) (1ULL << (operation))
#define SENDING (BIT(RING_SENDMSG) | BIT(RING_SEND) | BIT(RING_SEND_ZC) | BIT(RING_SENDMSG_ZC))
#define WANTED                                                                                                        \
	(BIT(RING_SENDMSG) | BIT(RING_CONNECT) | BIT(RING_OPENAT) | BIT(RING_SEND) | BIT(RING_OPENAT2) |               \
	 BIT(RING_RENAMEAT) | BIT(RING_UNLINKAT) | BIT(RING_MKDIRAT) | BIT(RING_SYMLINKAT) | BIT(RING_LINKAT) |        \
	 BIT(RING_SOCKET) | BIT(RING_SEND_ZC) | BIT(RING_SENDMSG_ZC) | BIT(RING_FTRUNCATE) | BIT(RING_LISTEN))

/* Tells what is asked for, which was admitted, and keeps it for its result. What was not is told neither now nor then. */
static __always_inline void tell_and_hold(struct scratch *scratch, struct io_kiocb *request, __u32 size,
					  enum budget_class class)
{
	__u64 key = (__u64)request;

	BOUND(size, 0xffff);
	submit_admitted(scratch->data, size, class);
	((struct held_request *)scratch->data)->operation = READ(request, opcode);
	bpf_map_update_elem(&held_requests, &key, scratch->data, BPF_ANY);
}

static __always_inline int open_submitted(struct io_kiocb *request)
{
	struct task_struct *task = current_task();
	struct io_open *open = (struct io_open *)request;
	struct filename *name = (struct filename *)RING_NAME(io_open, request, filename);
	__u64 flags = READ(open, how.flags);
	struct open_event *event;
	struct scratch *scratch;

	if (!is_open_told(task, flags) || !is_admitted(cgroup_of(task), BUDGET_FILES))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = begin_open(scratch, task, -EINPROGRESS, flags);
	event->header.flags = FLAG_RING;
	tell_and_hold(scratch, request, append_opened(scratch->slot, (__u64)READ(name, name), READ(open, dfd), 1), BUDGET_FILES);
	scratch_release(scratch);
	return 0;
}

/* Of a request: its descriptor is the place of a file that the ring has (IOSQE_FIXED_FILE). */
#define FIXED_FILE 1

/* The socket that an operation is for, before the request is issued. NULL where it is one of the ring's registered files. */
static __always_inline struct sock *socket_asked(struct task_struct *task, struct io_kiocb *request)
{
	return READ(request, flags) & FIXED_FILE ? NULL : socket_of(task, READ(request, cqe.fd));
}

/*
 * The address that connect keeps: all that is kept, or a member of what messages keep. The latter begins with an aligned pointer,
 * which is the number of no family.
 */
static __always_inline __u64 kept_address(struct io_async_msghdr *kept)
{
	__u16 family = AF_UNSPEC;

	bpf_probe_read_kernel(&family, sizeof(family), kept);
	if (family == AF_INET || family == AF_INET6 || family == AF_UNIX)
		return (__u64)kept;
	return (__u64)kept + bpf_core_field_offset(struct io_async_msghdr, addr);
}

static __always_inline int connect_submitted(struct io_kiocb *request)
{
	struct task_struct *task = current_task();
	struct io_async_msghdr *kept = READ(request, async_data);
	struct io_connect *connect = (struct io_connect *)request;
	struct connect_event *event;
	struct remote_name name = {};
	struct scratch *scratch;

	if (!is_admitted(cgroup_of(task), BUDGET_NETWORK))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = begin_connect(scratch, task, -EINPROGRESS, socket_asked(task, request));
	event->header.flags = FLAG_RING;
	event->descriptor = READ(request, flags) & FIXED_FILE ? 0 : READ(request, cqe.fd) + 1;
	name.is_in_kernel = kept && !bpf_core_type_exists(struct io_async_connect);
	name.address = name.is_in_kernel ? kept_address(kept) : (__u64)READ(connect, addr);
	name.length = READ(connect, addr_len);
	name_asked(event, &name);
	if (event->family != FAMILY_NONE)
		tell_and_hold(scratch, request, sizeof(*event), BUDGET_NETWORK);
	scratch_release(scratch);
	return 0;
}

static __always_inline int send_submitted(struct io_kiocb *request, __u8 operation)
{
	struct io_async_msghdr *kept = READ(request, async_data);
	struct remote_name name = {};
	struct sock *sk;

	if (bpf_core_type_exists(struct io_async_connect)) {
		struct user_msghdr message = {};

		/* What sends to an address without a message (since Linux 6.0) is not copied yet. */
		if (operation != RING_SENDMSG && operation != RING_SENDMSG_ZC)
			return 0;
		if (bpf_probe_read_user(&message, sizeof(message), READ((struct io_sr_msg *)request, umsg)))
			return 0;
		name.address = message.name;
		name.length = message.name_length;
	} else if (kept) {
		name.address = (__u64)READ(kept, msg.msg_name);
		name.length = READ(kept, msg.msg_namelen);
		name.is_in_kernel = 1;
	}
	if (!name.address)
		return 0;
	sk = socket_asked(current_task(), request);
	if (sk)
		tell_remote(sk, &name, DIRECTION_OUT, FLAG_RING);
	return 0;
}

/* The system call that does the same, and its arguments; 0 for none. Names of files are the kernel's copies. */
static __always_inline __u32 call_of(struct io_kiocb *request, __u8 operation, __u64 *arguments)
{
	switch (operation) {
	case RING_UNLINKAT:
		arguments[0] = READ((struct io_unlink *)request, dfd);
		arguments[1] = RING_NAME(io_unlink, request, filename);
		arguments[2] = READ((struct io_unlink *)request, flags);
		return SYS_unlinkat;
	case RING_RENAMEAT:
		arguments[0] = READ((struct io_rename *)request, old_dfd);
		arguments[1] = RING_NAME(io_rename, request, oldpath);
		arguments[2] = READ((struct io_rename *)request, new_dfd);
		arguments[3] = RING_NAME(io_rename, request, newpath);
		arguments[4] = READ((struct io_rename *)request, flags);
		return SYS_renameat2;
	case RING_MKDIRAT:
		arguments[0] = READ((struct io_mkdir *)request, dfd);
		arguments[1] = RING_NAME(io_mkdir, request, filename);
		arguments[2] = READ((struct io_mkdir *)request, mode);
		return SYS_mkdirat;
	case RING_SYMLINKAT:
		arguments[0] = RING_NAME(io_link, request, oldpath);
		arguments[1] = READ((struct io_link *)request, new_dfd);
		arguments[2] = RING_NAME(io_link, request, newpath);
		return SYS_symlinkat;
	case RING_LINKAT:
		arguments[0] = READ((struct io_link *)request, old_dfd);
		arguments[1] = RING_NAME(io_link, request, oldpath);
		arguments[2] = READ((struct io_link *)request, new_dfd);
		arguments[3] = RING_NAME(io_link, request, newpath);
		arguments[4] = READ((struct io_link *)request, flags);
		return SYS_linkat;
	case RING_FTRUNCATE: /* since Linux 6.9 */
		if (!bpf_core_field_exists(((struct io_ftrunc *)0)->len))
			return 0;
		arguments[0] = READ(request, cqe.fd);
		arguments[1] = READ((struct io_ftrunc *)request, len);
		return SYS_ftruncate;
	case RING_SOCKET:
		arguments[0] = READ((struct io_socket *)request, domain);
		arguments[1] = READ((struct io_socket *)request, type);
		arguments[2] = READ((struct io_socket *)request, protocol);
		return SYS_socket;
	case RING_LISTEN: /* since Linux 6.11 */
		if (!bpf_core_field_exists(((struct io_listen *)0)->backlog))
			return 0;
		arguments[0] = READ(request, cqe.fd);
		arguments[1] = READ((struct io_listen *)request, backlog);
		return SYS_listen;
	default:
		return 0;
	}
}

static __always_inline int action_submitted(struct io_kiocb *request, __u8 operation)
{
	__u64 arguments[ARGUMENTS] = {};
	__u32 number = call_of(request, operation, arguments), index, size;
	struct action_plan *plan = bpf_map_lookup_elem(&action_plans, &number);
	struct task_struct *task = current_task();
	struct action_event *event;
	struct scratch *scratch;

	if (!number || !plan || !plan->action || !is_told(plan, arguments))
		return 0;
	if (plan->scope == SCOPE_NOBODY || (plan->scope == SCOPE_SERVING && !is_serving(task->tgid)))
		return 0;
	if (!is_admitted(cgroup_of(task), BUDGET_ACTIONS))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = (struct action_event *)scratch->data;
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_ACTION, task);
	event->header.flags = FLAG_RING;
	event->result = -EINPROGRESS;
	event->action = plan->action;
	event->call = plan->call;
	scratch->cursor = sizeof(*event);
	for (index = 0; index < ARGUMENTS; index++) {
		__u32 kind = plan->kinds[index];

		/* Addresses of kernel memory are nobody's business. */
		if (kind == ARGUMENT_NUMBER)
			event->arguments[index] = arguments[index];
		else
			append_argument(scratch->slot, arguments[index], index ? arguments[index - 1] : 0, kind | ARGUMENT_IN_KERNEL, index);
	}
	size = scratch->cursor;
	tell_and_hold(scratch, request, size, BUDGET_ACTIONS);
	scratch_release(scratch);
	return 0;
}

static __always_inline int submitted(struct io_kiocb *request)
{
	__u8 operation = READ(request, opcode);
	__u64 key = (__u64)request;

	if (operation >= 64 || !(WANTED & BIT(operation)) || is_agent())
		return 0;
	/* What had its memory before is over, though its result was suppressed; of others, ring_complete sees that. */
	if (!(SENDING & BIT(operation)))
		bpf_map_delete_elem(&held_requests, &key);
	switch (operation) {
	case RING_OPENAT:
	case RING_OPENAT2:
		return opens_by_function ? 0 : open_submitted(request);
	case RING_CONNECT:
		return connects_by_function ? 0 : connect_submitted(request);
	case RING_SEND:
	case RING_SEND_ZC:
	case RING_SENDMSG:
	case RING_SENDMSG_ZC:
		return send_submitted(request, operation);
	default:
		return action_submitted(request, operation);
	}
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(ring_submit, struct io_kiocb *request)
{
	return submitted(DISTRUST(request));
}

/* The same before Linux 6.3. */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(ring_submit_before, struct io_kiocb *request)
{
	return submitted(DISTRUST(request));
}

/* Where the file was opened is known now: its own path takes the place of the directory that the passed one began in. */
static __always_inline __u32 open_completed(struct scratch *scratch, struct io_kiocb *request, int result, __u32 size)
{
	struct open_event *event = (struct open_event *)scratch->data;
	struct task_struct *task = current_task();
	__u32 path_size = event->path_size;
	struct file *file;

	event->result = result < 0 ? result : 0;
	if (result < 0 || READ((struct io_open *)request, file_slot) || (__u32)task->tgid != event->header.pid)
		return size;
	event->descriptor = result + 1;
	file = file_of(task, result);
	if (!file)
		return size;
	if (path_size > HELD_LIMIT - sizeof(*event))
		path_size = HELD_LIMIT - sizeof(*event);
	BOUND(path_size, 0x3ff);
	return append_resolved(scratch, file, path_size);
}

static __always_inline void connect_completed(struct connect_event *event, struct io_kiocb *request, int result)
{
	struct sock *sk = socket_of_file(READ(request, file));

	event->result = result;
	if (!sk || (event->family != FAMILY_IPV4 && event->family != FAMILY_IPV6))
		return;
	event->socket_type = READ(sk, sk_type);
	if (result != 0)
		return;
	event->header.flags &= ~FLAG_USER_MEMORY;
	name_connected(event, sk, family_of(sk));
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(ring_complete, void *ring, struct io_kiocb *completed)
{
	struct io_kiocb *request = (struct io_kiocb *)((__u64)completed + unknown_nought);
	__u64 key = (__u64)request;
	struct held_request *held = bpf_map_lookup_elem(&held_requests, &key);
	enum budget_class class = BUDGET_ACTIONS;
	struct event_header *header;
	struct scratch *scratch;
	__u32 size;
	int result;

	if (!held)
		return 0;
	/* Of one whose result was suppressed nothing is heard again, until another request gets its memory. */
	if (held->operation != READ(request, opcode)) {
		bpf_map_delete_elem(&held_requests, &key);
		return 0;
	}
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	bpf_probe_read_kernel(scratch->data, HELD_LIMIT, held);
	bpf_map_delete_elem(&held_requests, &key);
	header = (struct event_header *)scratch->data;
	header->time_ns = bpf_ktime_get_boot_ns();
	header->cpu = bpf_get_smp_processor_id();
	size = header->size;
	if (size > HELD_LIMIT) {
		size = HELD_LIMIT;
		header->flags |= FLAG_TRUNCATED;
	}
	result = READ(request, cqe.res);
	switch (header->kind) {
	case EVENT_OPEN:
		class = BUDGET_FILES;
		size = open_completed(scratch, request, result, size);
		break;
	case EVENT_CONNECT:
		class = BUDGET_NETWORK;
		connect_completed((struct connect_event *)scratch->data, request, result);
		break;
	case EVENT_ACTION:
		((struct action_event *)scratch->data)->result = result;
		break;
	}
	BOUND(size, 0xffff);
	submit_within_budget(scratch->data, size, class);
	scratch_release(scratch);
	return 0;
}
