// SPDX-License-Identifier: GPL-2.0
/* Ranges of this process's pages, judged together by their frames and contents. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trials.h"

void sets_map(struct sets *s, int sets, size_t nr)
{
	memset(s, 0, sizeof(*s));
	s->nr = sets;
	for (int k = 0; k < sets; k++) {
		pages_map(&s->p[k], nr, opt.seed);
		pages_advise(&s->p[k], 0, nr, MADV_NOHUGEPAGE);
		for (size_t i = 0; i < nr; i++)
			page_fill(&s->p[k], i, i + 1);
	}
}

void sets_advise(struct sets *s, int advice)
{
	for (int k = 0; k < s->nr; k++)
		pages_advise(&s->p[k], 0, s->p[k].nr, advice);
}

static size_t total(const struct sets *s)
{
	size_t sum = 0;

	for (int k = 0; k < s->nr; k++)
		sum += s->p[k].nr;
	return sum;
}

void sets_look(struct sets *s)
{
	uint64_t *entries = calloc(total(s), sizeof(*entries)), *to = entries;

	if (!entries)
		die("no memory for %zu pagemap entries", total(s));
	for (int k = 0; k < s->nr; k++, to += s->p[k - 1].nr) {
		int err = pagemap_read(getpid(), (uintptr_t)s->p[k].mem, s->p[k].nr, to);

		if (err)
			die("pagemap: %s", strerror(-err));
	}
	frames_count(entries, total(s), &s->last);
	free(entries);
}

bool sets_reclaim(struct sets *s, const char *cgroup, size_t pages)
{
	cgroup_reclaim(cgroup, s->nr * pages * page_size());
	sets_look(s);
	return s->last.swapped >= s->nr * pages * 9 / 10;
}

static bool reached(void *arg)
{
	struct sets *s = arg;

	sets_look(s);
	return s->last.distinct == s->want;
}

void sets_verify(const struct sets *s, const char *when)
{
	for (int k = 0; k < s->nr; k++) {
		long wrong = pages_wrong(&s->p[k], 0, s->p[k].nr);

		if (wrong)
			die("%s: %ld pages of range %d hold wrong content", when, wrong, k);
	}
}

void sets_expect(struct sets *s, size_t want, const char *when)
{
	sets_look(s);
	if (s->last.distinct != want)
		die("%s: %zu pages on %zu frames, %zu expected", when, s->last.mapped,
		    s->last.distinct, want);
	sets_verify(s, when);
}

void sets_wait(struct sets *s, size_t want, const char *when)
{
	s->want = want;
	if (!wait_for(opt.timeout, reached, s))
		die("%s: %zu pages stay on %zu frames, %zu expected", when, s->last.mapped,
		    s->last.distinct, want);
	ksm_wait_passes(opt.backend, 2);
	sets_expect(s, want, when);
}

void sets_stay(struct sets *s, size_t want, const char *when)
{
	ksm_wait_passes(opt.backend, 3);
	sets_expect(s, want, when);
}

void sets_write(struct sets *s, int set, size_t from, size_t to)
{
	uint64_t rnd = opt.seed + 77 * (set + 1);

	for (size_t i = from; i < to; i++)
		page_patch(&s->p[set], i, &rnd);
}

void sets_merge(struct sets *s, size_t want, const char *when)
{
	sets_advise(s, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	sets_wait(s, want, when);
}

void sets_unmap(struct sets *s)
{
	for (int k = 0; k < s->nr; k++)
		pages_unmap(&s->p[k]);
	ksm_wait_items(opt.backend, 0, "unmapped");
}

uint64_t page_flags(const void *addr)
{
	uint64_t pfn = own_pfn(addr);

	return pfn ? frame_flags(pfn) : 0;
}

size_t compound_pages(const void *addr)
{
	uint64_t pfn = own_pfn(addr);
	size_t nr = 1;

	if (!pfn || !(frame_flags(pfn) & PAGE_HEAD))
		return 0;
	while (frame_flags(pfn + nr) & PAGE_TAIL)
		nr++;
	return nr;
}

bool area_has_flag(const void *addr, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	uintptr_t at = (uintptr_t)addr, from, to;
	bool found = false, here = false;
	char line[512];

	if (!f)
		die("/proc/self/smaps: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char word[8];

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = at >= from && at < to;
		snprintf(word, sizeof(word), " %s ", flag);
		if (here && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, word);
	}
	fclose(f);
	return found;
}
