/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSM_CONTENT_H
#define KSM_CONTENT_H

#include <linux/types.h>

/* All of these take whole blocks of this size. */
#define KSM_CONTENT_BLOCK 64
/* ksm_sample() looks at so many of them. */
#define KSM_SAMPLES 4

u64 ksm_hash(const void *data, unsigned long bytes, u64 seed);
u64 ksm_sample(const void *data, unsigned long bytes, u64 seed);
bool ksm_all_zero(const void *data, unsigned long bytes);
bool ksm_differ(const void *a, const void *b, unsigned long bytes);

#endif /* KSM_CONTENT_H */
