/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Percentiles of durations that come one by one, in memory that does not grow: the slots of
 * lib/latency, and beside them what slots cannot tell.
 */
#ifndef KSMTRACE_REPORT_HIST_H
#define KSMTRACE_REPORT_HIST_H

#include <stdint.h>

#include "ksm_event.h"

#define HIST_SUB (1 << KSM_LATENCY_BITS) /* slots for every power of two */

/**
 * struct hist - the durations so far; zeroed at the start
 * @count: how many
 * @sum: of them
 * @min: smallest
 * @max: greatest
 * @slot: how many in each slot of lib/latency
 */
struct hist {
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint64_t slot[KSM_LATENCY_SLOTS];
};

/* Add @value, @weight times. */
void hist_add(struct hist *h, uint64_t value, uint64_t weight);

/**
 * hist_percentile() - what that part of all durations does not exceed, at most an eighth too high
 * @percent: 0 to 100
 *
 * Return: 0 when there are none.
 */
uint64_t hist_percentile(const struct hist *h, double percent);

/* The mean, 0 when there are none. */
uint64_t hist_mean(const struct hist *h);

#endif /* KSMTRACE_REPORT_HIST_H */
