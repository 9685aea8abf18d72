/* SPDX-License-Identifier: GPL-2.0 */
/* What a COW break becomes, however it was seen: an event, a count, a place in a histogram. */
#ifndef KSM_BREAKS_BPF_H
#define KSM_BREAKS_BPF_H

#include "emit.bpf.h"

static __always_inline void count_break(__u32 tgid, __u64 ns)
{
	struct breaks_state *state = bpf_map_lookup_elem(&breaks, &tgid);
	struct breaks_state fresh = {};

	if (!state) {
		bpf_map_update_elem(&breaks, &tgid, &fresh, BPF_NOEXIST);
		state = bpf_map_lookup_elem(&breaks, &tgid);
	}
	if (!state)
		return;
	__sync_fetch_and_add(&state->count, 1);
	__sync_fetch_and_add(&state->ns, ns);
}

/* The position of the highest bit. */
static __always_inline __u32 log2(__u64 value)
{
	__u32 bit = 0;

	for (int shift = 32; shift; shift >>= 1) {
		if (value >> shift) {
			value >>= shift;
			bit += shift;
		}
	}
	return bit;
}

/* tools/lib/latency.c reverses this. */
static __always_inline void count_latency(__u32 why, __u64 ns)
{
	__u32 bit = log2(ns | (1 << KSM_LATENCY_BITS)), slot;
	__u64 *n;

	slot = bit << KSM_LATENCY_BITS;
	slot |= ns >> (bit - KSM_LATENCY_BITS) & ((1 << KSM_LATENCY_BITS) - 1);
	slot += why == KSM_COW_UNMERGE ? KSM_LATENCY_SLOTS : 0;
	n = bpf_map_lookup_elem(&latency, &slot);
	if (n)
		__sync_fetch_and_add(n, 1);
}

/* @event is complete but for whose it is. */
static __always_inline void point_break(struct ksm_event *event, void *mm)
{
	if (!ksm_fill_mm(event, mm))
		return;
	if (count_mask & BIT64(KSM_EVENT_COW_BREAK)) {
		count_break(event->tgid, event->n64);
		if (event->n64)
			count_latency(event->n32, event->n64);
	}
	ksm_emit(event);
}

#endif /* KSM_BREAKS_BPF_H */
