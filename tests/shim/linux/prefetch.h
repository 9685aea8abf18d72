/* SPDX-License-Identifier: GPL-2.0 */
/* A hint to the processor; any address will do. */
#ifndef SHIM_LINUX_PREFETCH_H
#define SHIM_LINUX_PREFETCH_H

#define prefetch(address) __builtin_prefetch(address)

#endif /* SHIM_LINUX_PREFETCH_H */
