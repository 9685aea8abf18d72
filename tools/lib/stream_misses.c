// SPDX-License-Identifier: GPL-2.0
#include "lib/stream_misses.h"

#include <inttypes.h>
#include <stdio.h>

static bool read_breaks(uint64_t *breaks)
{
	FILE *file = fopen("/proc/vmstat", "re");
	bool found = false;
	char line[128];

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "cow_ksm %" SCNu64, breaks) == 1;
	if (file)
		fclose(file);
	return found;
}

void ksm_misses_begin(struct ksm_misses *m)
{
	m->known = read_breaks(&m->start);
	m->frozen = false;
}

void ksm_misses_end(struct ksm_misses *m)
{
	if (!m->frozen)
		m->known = m->known && read_breaks(&m->end);
	m->frozen = true;
}

uint64_t ksm_misses_bound(const struct ksm_misses *m, uint64_t skipped, uint64_t seen)
{
	uint64_t now = m->end, breaks;

	if (!skipped || !m->known || (!m->frozen && !read_breaks(&now)))
		return skipped;
	breaks = now - m->start;
	if (breaks <= seen)
		return 0;
	return breaks - seen < skipped ? breaks - seen : skipped;
}
