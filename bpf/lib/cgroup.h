/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cgroup by which events tell whose they are: that of the unified hierarchy, or, where containers are in none of that, of one of
 * version 1. Which one is a constant when the programs are loaded, so that what is for the other is not even in them.
 */
#ifndef THROUGHLINE_CGROUP_H
#define THROUGHLINE_CGROUP_H

#include "lib/read.h"

/* Set by user space: 0 for the unified hierarchy, or the place of a controller in CGROUP_CONTROLLERS of src/model/cgroup-hierarchy.ts, from 1. */
const volatile __u32 cgroup_controller = 0;
/* Likewise: its number, as in /proc/cgroups. */
const volatile __u32 cgroup_hierarchy = 0;

/* Which place a controller has depends on how the kernel was built. */
enum cgroup_subsys_id___here {
	memory_cgrp_id___here = 1,
	devices_cgrp_id___here = 2,
	pids_cgrp_id___here = 3,
};

#define CGROUP_IN(task, controller)                                                                             \
	READ(READ_ELEMENT((task)->cgroups->subsys,                                                              \
			  bpf_core_enum_value(enum cgroup_subsys_id___here, controller##_cgrp_id___here)),      \
	     cgroup, kn, id)

static __always_inline __u64 cgroup_of(struct task_struct *task)
{
	switch (cgroup_controller) {
	case 1:
		return CGROUP_IN(task, pids);
	case 2:
		return CGROUP_IN(task, memory);
	case 3:
		return CGROUP_IN(task, devices);
	default:
		return bpf_get_current_cgroup_id();
	}
}

#endif
