/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSM_CONTENT_H
#define KSM_CONTENT_H

#include <linux/types.h>

/* Both functions take whole blocks of this size. */
#define KSM_CONTENT_BLOCK 64

u64 ksm_hash(const void *data, unsigned long bytes, u64 seed);
bool ksm_differ(const void *a, const void *b, unsigned long bytes);

#endif /* KSM_CONTENT_H */
