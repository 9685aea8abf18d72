// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_hist.h"

static unsigned int bucket_of(uint64_t value)
{
	unsigned int power, sub;

	if (value < HIST_SUB)
		return (unsigned int)value;
	power = 63 - __builtin_clzll(value);
	sub = (value >> (power - 3)) & (HIST_SUB - 1);
	return (power - 2) * HIST_SUB + sub;
}

uint64_t hist_from(unsigned int bucket)
{
	unsigned int power = bucket / HIST_SUB + 2;

	if (bucket < HIST_SUB)
		return bucket;
	if (bucket >= HIST_BUCKETS)
		return UINT64_MAX;
	return (uint64_t)(HIST_SUB + bucket % HIST_SUB) << (power - 3);
}

void hist_add(struct hist *h, uint64_t value, uint64_t weight)
{
	if (!h->count || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count += weight;
	h->sum += value * weight;
	h->bucket[bucket_of(value)] += weight;
}

uint64_t hist_percentile(const struct hist *h, double percent)
{
	double wanted = h->count * percent / 100.0;
	uint64_t seen = 0, middle;

	if (!h->count)
		return 0;
	if (percent >= 100)
		return h->max;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (!h->bucket[i] || seen < wanted)
			continue;
		middle = hist_from(i) + (hist_from(i + 1) - hist_from(i)) / 2;
		if (middle < h->min)
			return h->min;
		return middle > h->max ? h->max : middle;
	}
	return h->max;
}

uint64_t hist_mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}
