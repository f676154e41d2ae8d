/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files opened: by processes that serve requests, for writing by anybody, and for reading where a rule asks for it. */
#include "lib/opened.h"
#include "lib/syscall-exit.h"

SEC("exit")
int SYSCALL_EXIT(exit_open, struct pt_regs *regs, long result)
{
	return tell_open(result, AT_FDCWD, ARG0(regs), ARG1(regs));
}

SEC("exit")
int SYSCALL_EXIT(exit_creat, struct pt_regs *regs, long result)
{
	return tell_open(result, AT_FDCWD, ARG0(regs), O_CREAT | O_TRUNC | 1);
}

SEC("exit")
int SYSCALL_EXIT(exit_openat, struct pt_regs *regs, long result)
{
	return tell_open(result, ARG0(regs), ARG1(regs), ARG2(regs));
}

SEC("exit")
int SYSCALL_EXIT(exit_openat2, struct pt_regs *regs, long result)
{
	struct user_open_how how = {};

	bpf_probe_read_user(&how, sizeof(how), (void *)ARG2(regs));
	return tell_open(result, ARG0(regs), ARG1(regs), how.flags);
}
