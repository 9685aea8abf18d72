/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How something went over time, in SERIES_POINTS steps that get longer as time goes on.
 */
#ifndef KSMTRACE_REPORT_SERIES_H
#define KSMTRACE_REPORT_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#define SERIES_POINTS 256

/**
 * struct series_point - one step of time
 * @has_saved: the counters were seen in it
 * @saved: pages saved, as last seen
 * @merged: pages merged in it
 * @broken: pages broken in it
 */
struct series_point {
	bool has_saved;
	int64_t saved;
	uint64_t merged;
	uint64_t broken;
};

/**
 * struct series - all of it; series_init()
 * @start: time of the first step
 * @step: length of a step, ns
 * @used: steps reached
 */
struct series {
	uint64_t start;
	uint64_t step;
	unsigned int used;
	struct series_point points[SERIES_POINTS];
};

void series_init(struct series *s, uint64_t start);

/* The step that a time, not before the start, falls into. */
struct series_point *series_at(struct series *s, uint64_t time);

/* Steps without counters get those of the step before: call once, at the end. */
void series_finish(struct series *s);

#endif /* KSMTRACE_REPORT_SERIES_H */
