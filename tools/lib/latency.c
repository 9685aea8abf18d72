// SPDX-License-Identifier: GPL-2.0
#include "lib/latency.h"

#include "ksm_event.h"

unsigned int ksm_latency_slot(uint64_t ns)
{
	unsigned int bit = 63 - (unsigned int)__builtin_clzll(ns | 1 << KSM_LATENCY_BITS);
	uint64_t below = ns >> (bit - KSM_LATENCY_BITS) & ((1 << KSM_LATENCY_BITS) - 1);

	return bit << KSM_LATENCY_BITS | (unsigned int)below;
}

uint64_t ksm_latency_value(unsigned int slot)
{
	unsigned int bit = slot >> KSM_LATENCY_BITS;
	uint64_t below = slot & ((1 << KSM_LATENCY_BITS) - 1);

	if (bit < KSM_LATENCY_BITS)
		return 0;
	return (UINT64_C(1) << bit) | below << (bit - KSM_LATENCY_BITS);
}

uint64_t ksm_latency_count(const uint64_t *slots)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < KSM_LATENCY_SLOTS; i++)
		count += slots[i];
	return count;
}

uint64_t ksm_latency_percentile(const uint64_t *slots, double percent)
{
	uint64_t count = ksm_latency_count(slots), seen = 0;
	double want = count * percent / 100;

	for (unsigned int i = 0; count && i < KSM_LATENCY_SLOTS; i++) {
		seen += slots[i];
		if (seen && seen >= want)
			return i + 1 < KSM_LATENCY_SLOTS ? ksm_latency_value(i + 1) : UINT64_MAX;
	}
	return 0;
}
