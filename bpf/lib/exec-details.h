/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an exec event says of the executable file and of the process beside its fixed part: struct exec_details. */
#ifndef THROUGHLINE_EXEC_DETAILS_H
#define THROUGHLINE_EXEC_DETAILS_H

#include "lib/read.h"
#include "abi.h"

#define NANOSECONDS 1000000000ULL
/* The highest bit of a change time's nanoseconds is a mark of the kernel's own: I_CTIME_QUERIED, 6.13 and later. */
#define NSEC_MASK 0x7fffffff

static __always_inline __u64 time_of(struct timespec64 *time)
{
	return READ(time, tv_sec) * NANOSECONDS + READ(time, tv_nsec);
}

static __always_inline __u64 change_time_of(struct inode *inode)
{
	struct inode___inner_ctime *inner = (void *)inode;
	struct inode___ctime *older = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec))
		return READ(inode, i_ctime_sec) * NANOSECONDS + (READ(inode, i_ctime_nsec) & NSEC_MASK);
	if (bpf_core_field_exists(inner->__i_ctime))
		return time_of(&inner->__i_ctime);
	return time_of(&older->i_ctime);
}

static __always_inline __u64 modification_time_of(struct inode *inode)
{
	struct inode___inner_mtime *inner = (void *)inode;
	struct inode___mtime *older = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec))
		return READ(inode, i_mtime_sec) * NANOSECONDS + READ(inode, i_mtime_nsec);
	if (bpf_core_field_exists(inner->__i_mtime))
		return time_of(&inner->__i_mtime);
	return time_of(&older->i_mtime);
}

/*
 * Whether a file on an overlay is in its upper layer. struct ovl_inode is known to a module's type information alone, but in all
 * kernels the upper layer's dentry (__upperdentry) stands right behind the inode (fs/overlayfs/ovl_entry.h).
 */
static __always_inline int is_in_upper_layer(struct inode *inode, __u32 magic)
{
	unsigned long *upper = (void *)inode + bpf_core_type_size(struct inode);

	return magic == OVERLAYFS_SUPER_MAGIC && READ_ELEMENT(upper, 0);
}

/* A file that has no place in any tree is its own parent, and not the root of its mount. */
static __always_inline int is_memory_file(struct file *file, __u32 magic)
{
	struct dentry *dentry = READ(file, f_path.dentry);

	return (magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC) && READ(dentry, d_parent) == dentry &&
	       READ(file, f_path.mnt, mnt_root) != dentry;
}

static __always_inline void fill_file(struct exec_details *details, struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	__u32 magic = READ(inode, i_sb, s_magic);

	details->change_time_ns = change_time_of(inode);
	details->modification_time_ns = modification_time_of(inode);
	details->mode = READ(inode, i_mode);
	details->owner_uid = READ(inode, i_uid.val);
	details->owner_gid = READ(inode, i_gid.val);
	details->link_count = READ(inode, i_nlink);
	details->file_system = magic;
	if (is_in_upper_layer(inode, magic))
		details->flags |= EXEC_UPPER_LAYER;
	if (is_memory_file(file, magic))
		details->flags |= EXEC_MEMORY_FILE;
}

static __always_inline void fill_credentials(struct exec_details *details, struct cred *cred)
{
	details->saved_uid = READ(cred, suid.val);
	details->saved_gid = READ(cred, sgid.val);
	details->effective_capabilities = READ_ELEMENT((__u64 *)&cred->cap_effective, 0);
	details->permitted_capabilities = READ_ELEMENT((__u64 *)&cred->cap_permitted, 0);
	details->inheritable_capabilities = READ_ELEMENT((__u64 *)&cred->cap_inheritable, 0);
	details->user_namespace = READ(cred, user_ns, ns.inum);
}

static __always_inline void fill_namespaces(struct exec_details *details, struct task_struct *task)
{
	struct nsproxy *namespaces = READ(task, nsproxy);
	struct pid *pid = READ(task, thread_pid);
	/* The process' own, which is not the one that its children will be in. */
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	struct upid *own = &numbers[READ(pid, level)];

	details->cgroup_namespace = READ(namespaces, cgroup_ns, ns.inum);
	details->ipc_namespace = READ(namespaces, ipc_ns, ns.inum);
	details->mount_namespace = READ(namespaces, mnt_ns, ns.inum);
	details->network_namespace = READ(namespaces, net_ns, ns.inum);
	details->uts_namespace = READ(namespaces, uts_ns, ns.inum);
	details->pid_namespace = READ(own, ns, ns.inum);
}

static __always_inline void fill_terminal(struct exec_details *details, struct signal_struct *signal)
{
	struct tty_struct *terminal = READ(signal, tty);

	__builtin_memset(details->terminal, 0, sizeof(details->terminal));
	if (terminal)
		bpf_probe_read_kernel_str(details->terminal, sizeof(details->terminal), terminal->name);
}

static __always_inline void fill_details(struct exec_details *details, struct task_struct *task, struct file *file)
{
	struct signal_struct *signal = READ(task, signal);

	details->flags = 0;
	fill_file(details, file);
	fill_credentials(details, (struct cred *)task->cred);
	fill_namespaces(details, task);
	fill_terminal(details, signal);
	details->session = READ(signal, pids[PIDTYPE_SID], numbers[0].nr);
	details->process_group = READ(signal, pids[PIDTYPE_PGID], numbers[0].nr);
	details->login_uid = bpf_core_field_exists(task->loginuid) ? READ(task, loginuid.val) : -1;
	details->seccomp_mode = bpf_core_field_exists(task->seccomp.mode) ? READ(task, seccomp.mode) : 0;
	if (READ(task, atomic_flags) & (1 << PFA_NO_NEW_PRIVS))
		details->flags |= EXEC_NO_NEW_PRIVILEGES;
	if (READ(task, real_parent, flags) & PF_KTHREAD)
		details->flags |= EXEC_KERNEL_PARENT;
	details->interpreter_size = 0;
}

#endif
