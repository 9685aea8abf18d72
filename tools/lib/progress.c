// SPDX-License-Identifier: GPL-2.0
#include "lib/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/format.h"
#include "lib/util.h"

#define BAR 24
#define DRAW_NS 100000000u
/* A rate from less time than this is noise. */
#define RATE_NS 200000000u

void ksm_progress_start(struct ksm_progress *p, const char *what)
{
	p->what = what;
	p->shown = isatty(STDERR_FILENO) == 1;
	p->start = ksm_monotonic_ns();
	p->drawn = 0;
}

char *ksm_progress_line(char *buf, size_t size, const char *what, uint64_t done, uint64_t total,
			uint64_t elapsed)
{
	char bar[BAR + 1], rate[KSM_FORMAT_MAX], left[KSM_FORMAT_MAX];
	double part = !total ? 1.0 : done >= total ? 1.0 : (double)done / (double)total;
	int fill = (int)(part * BAR), len;

	memset(bar, '#', (size_t)fill);
	memset(bar + fill, ' ', (size_t)(BAR - fill));
	bar[BAR] = '\0';
	len = snprintf(buf, size, "%s [%s] %3.0f %%", what, bar, part * 100);
	if (elapsed < RATE_NS || !done || len < 0 || (size_t)len >= size)
		return buf;
	ksm_format_bytes(rate, sizeof(rate), (int64_t)((double)done * 1e9 / (double)elapsed));
	ksm_format_duration(left, sizeof(left),
			    (uint64_t)((double)elapsed * (1 - part) / (part > 0 ? part : 1)));
	snprintf(buf + len, size - (size_t)len, "  %s/s  %s left", rate, left);
	return buf;
}

void ksm_progress_update(struct ksm_progress *p, uint64_t done, uint64_t total)
{
	uint64_t now = ksm_monotonic_ns();
	char line[160];

	if (!p->shown || (p->drawn && now - p->drawn < DRAW_NS))
		return;
	p->drawn = now;
	ksm_progress_line(line, sizeof(line), p->what, done, total, now - p->start);
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
}

void ksm_progress_end(struct ksm_progress *p)
{
	if (p->shown && p->drawn)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
