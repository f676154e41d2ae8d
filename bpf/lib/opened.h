/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the sensors that tell of opened files have in common. */
#ifndef THROUGHLINE_OPENED_H
#define THROUGHLINE_OPENED_H

#include "lib/path.h"
#include "lib/socket.h"

#define OPENED_LIMIT 4096

static __always_inline int is_write(unsigned int flags)
{
	return (flags & O_ACCMODE) || (flags & (O_CREAT | O_TRUNC));
}

/*
 * Appends the path that a file is to be opened by (of user memory, or a struct filename of the kernel), and where it begins if
 * it is relative, behind the event in the scratch buffer that the caller holds. Returns the size of both. A function of its own, which the verifier goes through once.
 */
__noinline int append_opened(__u64 name, int directory, int is_in_kernel)
{
	__u32 cpu = bpf_get_smp_processor_id(), position = sizeof(struct open_event);
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &cpu);
	struct task_struct *task = current_task();
	struct open_event *event;
	struct file *base;
	long size;

	if (!scratch)
		return 0;
	event = (struct open_event *)scratch->data;
	size = is_in_kernel ? bpf_probe_read_kernel_str(&scratch->data[position], OPENED_LIMIT,
							READ((struct filename *)name, name)) :
			      bpf_probe_read_user_str(&scratch->data[position], OPENED_LIMIT, (void *)name);
	if (size < 0) {
		event->header.flags |= FLAG_UNREADABLE;
		size = 0;
	}
	BOUND(size, 0x1fff);
	event->path_size = size;
	if (size > 1 && scratch->data[position] != '/') {
		base = directory == AT_FDCWD ? NULL : file_of(task, directory);
		if (base || directory == AT_FDCWD)
			event->resolved_size = append_path(position + size, base ? &base->f_path : &task->fs->pwd,
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
	event->resolved_size = append_path(sizeof(*event) + path_size, &file->f_path, &event->header.flags);
	return sizeof(*event) + path_size + event->resolved_size;
}

#endif
