/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Members of kernel objects whose address the verifier does not know as one. A helper call for each of them is what most
 * programs would spend their time on: 30 ns, where a load takes one. Linux 6.2 and later let a program say of which type
 * an address is (bpf_rdonly_cast, kernel commit a35b9af4ec2c) and then load from it; an address that is none reads as 0 either way.
 */
#ifndef THROUGHLINE_READ_H
#define THROUGHLINE_READ_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

/* 64 bits in kernel memory, as a plain number: of an address with a type, the verifier would follow each way by itself. */
#define READ_WORD(place) \
	(((struct timespec64 *)bpf_rdonly_cast(place, bpf_core_type_id_kernel(struct timespec64)))->tv_sec)

#define READ_1(object, member)                                                                                     \
	({                                                                                                         \
		typeof(object) object_ = (object);                                                                 \
		typeof(object_->member) value_ = 0;                                                                \
		if (!bpf_rdonly_cast)                                                                              \
			bpf_core_read(&value_, sizeof(value_), &object_->member);                                  \
		else if (sizeof(value_) == sizeof(__u64))                                                          \
			value_ = (typeof(value_))READ_WORD(&object_->member);                                      \
		else                                                                                               \
			value_ = ((typeof(object_))bpf_rdonly_cast(object_, bpf_core_type_id_kernel(*object_)))    \
					 ->member;                                                                 \
		value_;                                                                                            \
	})
#define READ_2(object, a, b) READ_1(READ_1(object, a), b)
#define READ_3(object, a, b, c) READ_1(READ_2(object, a, b), c)
#define READ_4(object, a, b, c, d) READ_1(READ_3(object, a, b, c), d)

/* READ(sk, sk_socket, file) is sk->sk_socket->file; 0 behind an address that cannot be read. */
#define READ(object, ...) ___apply(READ_, ___narg(__VA_ARGS__))(object, ##__VA_ARGS__)

/*
 * An object that the verifier trusts, as one that it does not. Of each pointer in a trusted one it wants to know whether it can be
 * trusted as well, and searches the names of all types of the kernel for that: most of the time that loading took.
 */
#define DISTRUST(object)                                                                                            \
	(bpf_rdonly_cast ? (typeof(object))bpf_rdonly_cast(object, bpf_core_type_id_kernel(*(object))) : (object))

/* The element of an array of addresses. */
#define READ_ELEMENT(array, index)                                                                          \
	({                                                                                                  \
		typeof(*(array)) *place_ = &(array)[index], element_ = 0;                                   \
		if (bpf_rdonly_cast)                                                                        \
			element_ = (typeof(element_))READ_WORD(place_);                                     \
		else                                                                                        \
			bpf_probe_read_kernel(&element_, sizeof(element_), place_);                         \
		element_;                                                                                   \
	})

#endif
