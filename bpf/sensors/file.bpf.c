/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files opened: by processes that serve requests, for writing by anybody, and for reading where a rule asks for it. */
#include "lib/lent.h"
#include "lib/opened.h"
#include "lib/path.h"
#include "lib/socket.h"
#include "lib/stamp.h"

/* User space writes it: opens for reading are told whoever does it. */
__u32 reads_of_everybody;

static __always_inline int opened(struct task_struct *task, long result, int directory, unsigned long path,
				  unsigned int flags)
{
	struct scratch *scratch;
	struct open_event *event;
	__u8 *data, event_flags = 0;
	__u32 offset = sizeof(*event);
	struct file *file = NULL;
	long size;

	if (!is_write(flags) && !is_serving(task->tgid) && !reads_of_everybody)
		return 0;
	if (is_agent())
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	data = scratch->data;
	event = (struct open_event *)data;
	fill_header(&event->header, EVENT_OPEN, task);
	stamp_by_path(&event->header, task, path);
	event->result = result < 0 ? result : 0;
	event->open_flags = flags;
	event->device = 0;
	event->inode = 0;
	event->reserved = 0;
	size = bpf_probe_read_user_str(&data[offset], 4096, (void *)path);
	if (size < 0) {
		size = 0;
		event_flags |= FLAG_UNREADABLE;
	}
	BOUND(size, 0x1fff);
	event->path_size = size;
	offset += size;
	event->resolved_size = 0;
	if (result >= 0) {
		file = file_of(task, result);
		if (file) {
			event->inode = READ(file, f_inode, i_ino);
			event->device = READ(file, f_inode, i_sb, s_dev);
			event->resolved_size = append_path(offset, &file->f_path, &event_flags);
		}
	} else {
		event_flags |= FLAG_USER_MEMORY;
		/* Where the path started: user space joins the two. An absolute path needs no start. */
		if (size > 1 && data[sizeof(*event)] != '/') {
			if (directory == AT_FDCWD) {
				event->resolved_size = append_path(offset, &task->fs->pwd, &event_flags);
			} else {
				file = file_of(task, directory);
				if (file)
					event->resolved_size = append_path(offset, &file->f_path, &event_flags);
			}
		}
	}
	offset += event->resolved_size;
	event->header.flags = event_flags;
	BOUND(offset, 0xffff);
	submit_within_budget(data, offset, FREQUENT);
	scratch_release(scratch);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_open, struct pt_regs *regs, long result)
{
	return opened(current_task(), result, AT_FDCWD, ARG0(regs), ARG1(regs));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_creat, struct pt_regs *regs, long result)
{
	return opened(current_task(), result, AT_FDCWD, ARG0(regs), O_CREAT | O_TRUNC | 1);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_openat, struct pt_regs *regs, long result)
{
	return opened(current_task(), result, ARG0(regs), ARG1(regs), ARG2(regs));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_openat2, struct pt_regs *regs, long result)
{
	struct user_open_how how = {};

	bpf_probe_read_user(&how, sizeof(how), (void *)ARG2(regs));
	return opened(current_task(), result, ARG0(regs), ARG1(regs), how.flags);
}
