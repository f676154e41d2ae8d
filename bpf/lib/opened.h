/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Opened files: which of them are told, and their event, whichever way they were asked for. */
#ifndef THROUGHLINE_OPENED_H
#define THROUGHLINE_OPENED_H

#include "lib/lent.h"
#include "lib/path.h"
#include "lib/socket.h"
#include "lib/stamp.h"

#define OPENED_LIMIT 4096
/* A descriptor that nobody has: where the path begins is not told. */
#define NO_DIRECTORY (-1)

/* User space writes it: opens for reading are told whoever does it. */
__u32 reads_of_everybody;

static __always_inline int is_write(unsigned int flags)
{
	return (flags & O_ACCMODE) || (flags & (O_CREAT | O_TRUNC));
}

/* For writing by anybody, of processes that serve requests, and for reading by anybody where a rule asks for it. */
static __always_inline int is_open_told(struct task_struct *task, unsigned int flags)
{
	return is_write(flags) || is_serving(task->tgid) || reads_of_everybody;
}

/* Begins the event in the scratch buffer that the caller holds. */
static __always_inline struct open_event *begin_open(struct scratch *scratch, struct task_struct *task, long result,
						     unsigned int flags)
{
	struct open_event *event = (struct open_event *)scratch->data;

	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_OPEN, task);
	event->result = result < 0 ? result : 0;
	event->open_flags = flags;
	event->descriptor = result < 0 ? 0 : result + 1;
	return event;
}

/*
 * Appends the path that a file is to be opened by (a text in user memory, or the kernel's copy of it), and where it begins if
 * it is relative, behind the event in the scratch buffer in `slot`, which the caller holds. Returns the size of both. A function of its own, which the verifier goes through once.
 */
__noinline int append_opened(__u32 slot, __u64 text, int directory, int is_in_kernel)
{
	__u32 position = sizeof(struct open_event);
	struct scratch *scratch = scratch_in(slot);
	struct task_struct *task = current_task();
	struct open_event *event;
	struct file *base;
	long size;

	if (!scratch)
		return 0;
	event = (struct open_event *)scratch->data;
	size = is_in_kernel ? bpf_probe_read_kernel_str(&scratch->data[position], OPENED_LIMIT, (void *)text) :
			      bpf_probe_read_user_str(&scratch->data[position], OPENED_LIMIT, (void *)text);
	if (size < 0) {
		event->header.flags |= FLAG_UNREADABLE;
		size = 0;
	}
	BOUND(size, 0x1fff);
	event->path_size = size;
	if (size > 1 && scratch->data[position] != '/') {
		base = directory == AT_FDCWD ? NULL : file_of(task, directory);
		if (base || directory == AT_FDCWD)
			event->resolved_size = append_path(scratch, position + size, base ? &base->f_path : &DISTRUST(task)->fs->pwd,
							   &event->header.flags);
	}
	return sizeof(*event) + event->path_size + event->resolved_size;
}

/*
 * Appends the kernel's own path of the file that was opened, in place of the directory that the passed path began in. Returns the
 * size of the event.
 */
static __always_inline __u32 append_resolved(struct scratch *scratch, struct file *file, __u32 path_size)
{
	struct open_event *event = (struct open_event *)scratch->data;

	event->path_size = path_size;
	event->inode = READ(file, f_inode, i_ino);
	event->device = READ(file, f_inode, i_sb, s_dev);
	event->resolved_size = append_path(scratch, sizeof(*event) + path_size, &file->f_path, &event->header.flags);
	return sizeof(*event) + path_size + event->resolved_size;
}

/*
 * Tells the open that a system call has ended with: `path` and `directory` as they were passed to it. A function of its own, since
 * many programs call it.
 */
__noinline int tell_open(long result, int directory, __u64 path, __u32 flags)
{
	struct task_struct *task = current_task();
	struct open_event *event;
	struct scratch *scratch;
	struct file *file;
	__u32 size, path_size;

	if (!is_open_told(task, flags) || is_agent() || !is_admitted(cgroup_of(task), BUDGET_FILES))
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = begin_open(scratch, task, result, flags);
	stamp_by_path(&event->header, task, path);
	/* Where an open failed, user space joins the path to where it began. */
	size = append_opened(scratch->slot, path, result < 0 ? directory : NO_DIRECTORY, 0);
	file = result < 0 ? NULL : file_of(task, result);
	path_size = event->path_size;
	BOUND(path_size, 0x1fff);
	if (file)
		size = append_resolved(scratch, file, path_size);
	else
		event->header.flags |= FLAG_USER_MEMORY;
	BOUND(size, 0xffff);
	submit_admitted(event, size, BUDGET_FILES);
	scratch_release(scratch);
	return 0;
}

#endif
