/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cgroups made: what tells a container's id, and is gone with the container, often before user space looks. */
#include "lib/event.h"
#include "lib/path.h"

#define CGROUP_PATH_LIMIT 4096

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_made, struct cgroup *cgroup, const char *path)
{
	struct scratch *scratch;
	struct cgroup_event *event;
	long size;

	/* The others have ids of their own, which no event names. */
	if (cgroup->root->hierarchy_id != (int)cgroup_hierarchy)
		return 0;
	scratch = scratch_acquire();
	if (!scratch)
		return 0;
	event = (struct cgroup_event *)scratch->data;
	fill_header(&event->header, EVENT_CGROUP, current_task());
	event->cgroup = cgroup->kn->id;
	event->reserved = 0;
	size = bpf_probe_read_kernel_str(&scratch->data[sizeof(*event)], CGROUP_PATH_LIMIT, path);
	if (size < 0)
		size = 0;
	BOUND(size, 0x1fff);
	event->path_size = size;
	submit_security(event, sizeof(*event) + size);
	scratch_release(scratch);
	return 0;
}
