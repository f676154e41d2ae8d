/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel structures that we read, with only the members that we read. preserve_access_index lets libbpf find
 * their real offsets in the running kernel's BTF (CO-RE), so this file is right for every kernel that has the members.
 * `___suffix` variants are older or newer shapes of the same structure, chosen at load time by bpf_core_field_exists.
 */
#ifndef THROUGHLINE_KERNEL_H
#define THROUGHLINE_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bp, r10, r9, r8, ax, bx, cx, dx, si, di, orig_ax, sp;
};
#define SYSCALL_NUMBER(regs) ((int)(regs)->orig_ax)
/* arch/x86/entry/syscalls/syscall_64.tbl */
#define SYS_read 0
#define SYS_write 1
#define SYS_epoll_pwait 281
#define SYS_open 2
#define SYS_connect 42
#define SYS_execve 59
#define SYS_accept 43
#define SYS_creat 85
#define SYS_openat 257
#define SYS_execveat 322
#define SYS_openat2 437
#define SYS_readv 19
#define SYS_writev 20
#define SYS_sendfile 40
#define SYS_sendto 44
#define SYS_recvfrom 45
#define SYS_sendmsg 46
#define SYS_recvmsg 47
#define SYS_socket 41
#define SYS_listen 50
#define SYS_ftruncate 77
#define SYS_mkdirat 258
#define SYS_unlinkat 263
#define SYS_linkat 265
#define SYS_symlinkat 266
#define SYS_accept4 288
#define SYS_renameat2 316
#define ARG0(regs) ((regs)->di)
#define ARG1(regs) ((regs)->si)
#define ARG2(regs) ((regs)->dx)
#define ARG3(regs) ((regs)->r10)
#define ARG4(regs) ((regs)->r8)
#define ARG5(regs) ((regs)->r9)
struct thread_info {
	unsigned int status; /* TS_COMPAT: a 32-bit call */
};
struct thread_struct {
	unsigned long fsbase; /* base of thread-local storage */
};
#elif defined(__TARGET_ARCH_arm64)
/* At sys_exit regs[0] already holds the result; orig_x0 keeps the first argument (arch/arm64/kernel/syscall.c). */
struct pt_regs {
	unsigned long long regs[31];
	unsigned long long sp;
	unsigned long long orig_x0;
	int syscallno;
};
#define SYSCALL_NUMBER(r) ((r)->syscallno)
/* include/uapi/asm-generic/unistd.h */
#define SYS_read 63
#define SYS_write 64
#define SYS_epoll_pwait 22
#define SYS_openat 56
#define SYS_readv 65
#define SYS_writev 66
#define SYS_sendfile 71
#define SYS_sendto 206
#define SYS_recvfrom 207
#define SYS_accept 202
#define SYS_connect 203
#define SYS_sendmsg 211
#define SYS_recvmsg 212
#define SYS_accept4 242
#define SYS_mkdirat 34
#define SYS_unlinkat 35
#define SYS_symlinkat 36
#define SYS_linkat 37
#define SYS_ftruncate 46
#define SYS_socket 198
#define SYS_listen 201
#define SYS_renameat2 276
#define SYS_openat2 437
#define ARG0(r) ((r)->orig_x0)
#define ARG1(r) ((r)->regs[1])
#define ARG2(r) ((r)->regs[2])
#define ARG3(r) ((r)->regs[3])
#define ARG4(r) ((r)->regs[4])
#define ARG5(r) ((r)->regs[5])
struct thread_info {
	unsigned long flags; /* TIF_32BIT */
};
#else
#error "this processor architecture is not supported"
#endif
/* The same for all programs on all architectures. */
#define SYS_io_uring_enter 426

/* What any 64 bits in memory are read as: a number, and not a pointer, which functions of their own do not take. */
struct timespec64 {
	long long tv_sec;
	long tv_nsec;
};

struct kernfs_node {
	unsigned long long id;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* as many as the kernel has controllers */
	struct cgroup *dfl_cgrp;
};

struct qstr {
	union {
		struct {
			unsigned int hash;
			unsigned int len;
		};
	};
	const unsigned char *name;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
};

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	unsigned long i_ino;
	struct super_block *i_sb;
	unsigned int i_nlink;
	unsigned int i_rdev;
	void *i_private;
	/* 6.11 and later. */
	long long i_mtime_sec;
	long long i_ctime_sec;
	unsigned int i_mtime_nsec;
	unsigned int i_ctime_nsec;
};

/* Up to 6.5. */
struct inode___ctime {
	struct timespec64 i_ctime;
};

/* 6.6 to 6.10. */
struct inode___inner_ctime {
	struct timespec64 __i_ctime;
};

/* Up to 6.6. */
struct inode___mtime {
	struct timespec64 i_mtime;
};

/* 6.7 to 6.10. */
struct inode___inner_mtime {
	struct timespec64 __i_mtime;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	void *f_ep; /* 5.11 and later: epoll instances that watch it */
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path pwd;
};

/* Of 64 bits, whatever they are called: two halves up to 6.2. */
typedef struct {
	unsigned long long val;
} kernel_cap_t;

struct ns_common {
	unsigned int inum;
};

struct user_namespace {
	struct ns_common ns;
};

struct pid_namespace {
	struct ns_common ns;
};

struct uts_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1]; /* as each namespace sees it, the host's first */
};

struct group_info {
	int ngroups;
	kgid_t gid[0];
};

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
	struct file *exe_file;
};

typedef struct {
	int counter;
} atomic_t;

struct tty_struct {
	char name[64];
};

/* enum pid_type of include/linux/pid_types.h (include/linux/pid.h before). */
#define PIDTYPE_PGID 2
#define PIDTYPE_SID 3

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	struct pid *pids[4];
	struct tty_struct *tty;
};

struct seccomp {
	int mode;
};

struct task_struct {
	struct thread_info thread_info;
	int pid;
	int tgid;
	unsigned long long start_boottime;
	unsigned long long self_exec_id;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	const struct cred *cred;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	kuid_t loginuid; /* not without CONFIG_AUDIT */
	struct seccomp seccomp; /* not without CONFIG_SECCOMP */
	unsigned int flags;
	unsigned long atomic_flags;
	int exit_code;
	char comm[16];
#if defined(__TARGET_ARCH_x86)
	struct thread_struct thread;
#endif
};

struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
};

struct in6_addr {
	union {
		unsigned char u6_addr8[16];
		unsigned int u6_addr32[4];
	} in6_u;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	union {
		struct {
			unsigned int skc_daddr;
			unsigned int skc_rcv_saddr;
		};
	};
	union {
		struct {
			unsigned short skc_dport; /* network order */
			unsigned short skc_num;   /* host order */
		};
	};
	unsigned short skc_family;
	unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	struct pid *sk_peer_pid; /* of a unix socket: the process that had connected it */
	struct socket *sk_socket;
	unsigned short sk_type;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct tcp_sock {
	unsigned int copied_seq; /* next byte that the program reads */
	unsigned int write_seq;  /* next byte that the program writes */
};

/* A path that the kernel has copied from its caller. */
struct filename {
	const char *name;
};

/* What is asked of an open, as the kernel has checked it. */
struct open_flags {
	int open_flag;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len; /* of the address, with its two bytes of family */
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

#pragma clang attribute pop

/* User-space structures of the system-call interface, as on 64-bit kernels: fixed, so not relocated. */
struct user_iovec {
	unsigned long long base;
	unsigned long long length;
};

struct user_msghdr {
	unsigned long long name;
	unsigned int name_length;
	unsigned int padding;
	unsigned long long iov;
	unsigned long long iov_count;
};

struct user_mmsghdr {
	struct user_msghdr header;
	/* What the C library's msghdr has behind the vectors: control data and flags. */
	unsigned long long control[3];
	unsigned int length; /* bytes sent or received */
	unsigned int padding;
};

struct user_open_how {
	unsigned long long flags;
	unsigned long long mode;
	unsigned long long resolve;
};

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17
/* include/uapi/linux/un.h: UNIX_PATH_MAX */
#define UNIX_PATH_LIMIT 108
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_PACKET 10
/* Behind it are SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define SOCK_TYPE_MASK 0xf
#define TCP_ESTABLISHED 1
#define TCP_FIN_WAIT1 4
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10

#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000

/* include/linux/sched.h */
#define PF_IO_WORKER 0x10 /* a thread of an io_uring */
#define PF_KTHREAD 0x00200000
#define PFA_NO_NEW_PRIVS 0

/* include/uapi/linux/magic.h */
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6

#define O_ACCMODE 3
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_NONBLOCK 04000
#define O_CLOEXEC 02000000
/* The kernel's own (include/linux/fs.h): a program is opened to be run. */
#define FMODE_EXEC 040
#define AT_FDCWD -100
#define MSG_PEEK 2
/* include/linux/jiffies.h: USER_HZ, in which /proc tells when a process began. */
#define NANOSECONDS_PER_TICK 10000000
/* include/linux/err.h: an address from -MAX_ERRNO on is an error. */
#define MAX_ERRNO 4095
#define EINTR 4
#define EEXIST 17
#define EAGAIN 11
#define EINPROGRESS 115

#endif
