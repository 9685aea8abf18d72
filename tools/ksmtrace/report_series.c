// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_series.h"

#include <string.h>

/* 10 ms: below that nothing is drawn. */
#define FIRST_STEP UINT64_C(10000000)

void series_init(struct series *s, uint64_t start)
{
	memset(s, 0, sizeof(*s));
	s->start = start;
	s->step = FIRST_STEP;
}

/* What is behind the steps reached is zero, and stays so. */
static void halve(struct series *s)
{
	unsigned int used = (s->used + 1) / 2;

	for (unsigned int i = 0; i < used; i++) {
		struct series_point a = s->points[2 * i], b = s->points[2 * i + 1];

		s->points[i] = (struct series_point){
			.has_saved = a.has_saved || b.has_saved,
			.saved = b.has_saved ? b.saved : a.saved,
			.merged = a.merged + b.merged,
			.broken = a.broken + b.broken,
		};
	}
	memset(&s->points[used], 0, (s->used - used) * sizeof(*s->points));
	s->used = used;
	s->step *= 2;
}

struct series_point *series_at(struct series *s, uint64_t time)
{
	uint64_t since = time > s->start ? time - s->start : 0;

	while (since / s->step >= SERIES_POINTS)
		halve(s);
	if (since / s->step >= s->used)
		s->used = since / s->step + 1;
	return &s->points[since / s->step];
}

void series_finish(struct series *s)
{
	int64_t saved = 0;

	/* What came before the first reading is not known: taken for the same. */
	for (unsigned int i = s->used; i-- > 0;)
		if (s->points[i].has_saved)
			saved = s->points[i].saved;
	for (unsigned int i = 0; i < s->used; i++) {
		if (s->points[i].has_saved)
			saved = s->points[i].saved;
		s->points[i].saved = saved;
	}
}
