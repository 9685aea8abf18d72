/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the core may take from the kernel, for userspace. Types and the macros that every kernel
 * file has without asking for them. Only what kmod/core uses is here, and only names that the
 * compiler itself provides are used, so that it works under -nostdinc and beside libc alike.
 */
#ifndef SHIM_LINUX_TYPES_H
#define SHIM_LINUX_TYPES_H

typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16;
typedef __UINT32_TYPE__ u32;
typedef unsigned long long u64;
typedef __SIZE_TYPE__ size_t;

#ifndef bool
#define bool _Bool
#define true 1
#define false 0
#endif

#ifndef NULL
#define NULL ((void *)0)
#endif

#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif

#ifndef __aligned
#define __aligned(x) __attribute__((__aligned__(x)))
#endif

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - __builtin_offsetof(type, member)))

#endif /* SHIM_LINUX_TYPES_H */
