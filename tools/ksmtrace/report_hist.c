// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_hist.h"

#include "lib/latency.h"

void hist_add(struct hist *h, uint64_t value, uint64_t weight)
{
	if (!h->count || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count += weight;
	h->sum += value * weight;
	h->slot[ksm_latency_slot(value)] += weight;
}

uint64_t hist_percentile(const struct hist *h, double percent)
{
	uint64_t value = ksm_latency_percentile(h->slot, percent);

	if (value < h->min)
		return h->min;
	return value > h->max ? h->max : value;
}

uint64_t hist_mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}
