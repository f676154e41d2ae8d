/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Paths of files that the kernel holds open. bpf_d_path is refused in tp_btf programs, so the names are collected by
 * walking from the file up to the root of its mount namespace, leaf first, each ended by NUL; user space reverses
 * them. What the program said (symlinks, "..", bind mounts) no longer matters: these are the names of the file itself.
 */
#ifndef THROUGHLINE_PATH_H
#define THROUGHLINE_PATH_H

#include "lib/event.h"

#define MAX_COMPONENTS 48
#define NAME_LIMIT 256
/* Sections other than argv stay below this offset, argv begins below it: 32 KiB + 32 KiB fit the scratch buffer. */
#define SECTION_MASK 0x7fff

#define COMPONENTS_TRUNCATED 0x10000

/*
 * Appends the components of a path at `start` of the scratch buffer in `slot`, which the caller holds, and returns their size, with
 * COMPONENTS_TRUNCATED when it was too deep. The position lives in memory between the rounds: in a register, the verifier
 * would follow each possible sum of name lengths as a state of its own and give up.
 */
__noinline int append_components(__u32 slot, __u64 dentry_address, __u64 mount_address, __u32 start)
{
	__u32 size, truncated = 0;
	struct scratch *scratch = scratch_in(slot);
	struct dentry *dentry = (struct dentry *)dentry_address, *root;
	struct vfsmount *vfsmount = (struct vfsmount *)mount_address;
	struct mount *mount;
	int depth;

	if (!scratch || !dentry || !vfsmount)
		return 0;
	scratch->cursor = start;
	mount = (struct mount *)((void *)vfsmount - bpf_core_field_offset(struct mount, mnt));
	root = READ(vfsmount, mnt_root);
	for (depth = 0; depth < MAX_COMPONENTS; depth++) {
		struct dentry *parent;
		const unsigned char *name;
		__u32 position;
		long length;

		if (dentry == root) {
			struct mount *above = READ(mount, mnt_parent);

			if (above == mount)
				goto done;
			dentry = READ(mount, mnt_mountpoint);
			mount = above;
			root = READ(mount, mnt.mnt_root);
			continue;
		}
		parent = READ(dentry, d_parent);
		name = READ(dentry, d_name.name);
		position = scratch->cursor;
		BOUND(position, SECTION_MASK);
		length = bpf_probe_read_kernel_str(&scratch->data[position], NAME_LIMIT, name);
		if (length <= 0)
			break;
		/* A file system without a tree (pipe, socket, memfd) has its own root, named by itself. */
		if (parent == dentry) {
			scratch->cursor = position + (length > 1 ? length : 0);
			goto done;
		}
		scratch->cursor = position + length;
		dentry = parent;
	}
	truncated = COMPONENTS_TRUNCATED;
done:
	size = scratch->cursor - start;
	BOUND(size, SECTION_MASK);
	return size | truncated;
}

/* Appends the components of a path at `start` of the scratch buffer and returns their size; sets FLAG_TRUNCATED when it was too deep. */
static __always_inline __u32 append_path(struct scratch *scratch, __u32 start, struct path *path, __u8 *flags)
{
	__u32 size = append_components(scratch->slot, (__u64)READ(path, dentry), (__u64)READ(path, mnt), start);

	if (size & COMPONENTS_TRUNCATED)
		*flags |= FLAG_TRUNCATED;
	BOUND(size, SECTION_MASK);
	return size;
}

#endif
