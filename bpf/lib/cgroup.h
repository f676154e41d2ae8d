/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cgroup by which events tell whose they are. */
#ifndef THROUGHLINE_CGROUP_H
#define THROUGHLINE_CGROUP_H

#include "lib/read.h"

static __always_inline __u64 cgroup_of(struct task_struct *task)
{
	return bpf_get_current_cgroup_id();
}

#endif
