/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Percentiles of numbers that come one by one, in memory that does not grow: eight buckets for
 * every power of two, so a percentile is at most 1/8 off.
 */
#ifndef KSMTRACE_REPORT_HIST_H
#define KSMTRACE_REPORT_HIST_H

#include <stdint.h>

#define HIST_SUB 8
#define HIST_BUCKETS (62 * HIST_SUB)

/**
 * struct hist - the numbers so far; zeroed at the start
 * @count: how many
 * @sum: of them
 * @min: smallest
 * @max: greatest
 * @bucket: how many from hist_from() of its index on
 */
struct hist {
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint64_t bucket[HIST_BUCKETS];
};

/* Add @value, @weight times. */
void hist_add(struct hist *h, uint64_t value, uint64_t weight);

/* Smallest number that goes into a bucket; of HIST_BUCKETS it is UINT64_MAX. */
uint64_t hist_from(unsigned int bucket);

/**
 * hist_percentile() - the number that this part of all numbers does not exceed
 * @percent: 0 to 100
 *
 * Return: 0 when there are none.
 */
uint64_t hist_percentile(const struct hist *h, double percent);

/* The mean, 0 when there are none. */
uint64_t hist_mean(const struct hist *h);

#endif /* KSMTRACE_REPORT_HIST_H */
