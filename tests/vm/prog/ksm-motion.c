// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel moves pages about while KSM merges them: swap that comes and goes, and
 * compaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include "lib/trials.h"

#define PAGES 256
#define SWAP_DEVICE "/dev/swapdisk"

/* ---- swap that comes and goes ---- */

static char cgroup[128];

static bool swapped(void *arg)
{
	return sets_reclaim(arg, cgroup, PAGES);
}

/* All goes out, some is written there, then swapoff brings it back under the scanner. */
static void swap_round(struct sets *s, int round)
{
	if (!wait_for(opt.timeout, swapped, s))
		die("only %zu of %d pages go to swap", s->last.swapped, s->nr * PAGES);
	if (round % 2)
		sets_write(s, round / 2 % 2, 0, PAGES / 4);
	if (swapoff(SWAP_DEVICE))
		die("swapoff: %s", strerror(errno));
	sets_look(s);
	if (s->last.swapped)
		die("%zu pages are in swap after swapoff", s->last.swapped);
	sets_verify(s, "swapoff");
	if (swapon(SWAP_DEVICE, 0))
		die("swapon: %s", strerror(errno));
	for (size_t i = 0; i < PAGES / 4; i++)
		for (int k = 0; k < s->nr; k++)
			page_fill(&s->p[k], i, 1 + i + 1000 * round);
	sets_wait(s, PAGES, "merged again after swapoff");
}

static const char *swap_comes_and_goes(void)
{
	const int rounds = 4;
	struct sets s;

	cgroup_make(cgroup, "ksm-motion");
	cgroup_join(cgroup);
	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merged");
	for (int round = 0; round < rounds; round++)
		swap_round(&s, round);
	sets_unmap(&s);
	cgroup_remove(cgroup);
	return NULL;
}

/* ---- compaction ---- */

#define FILLER_BYTES (256UL << 20)

static void frames_of(const struct sets *s, uint64_t *pfns)
{
	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 0; i < PAGES; i++)
			*pfns++ = own_pfn(page_at(&s->p[k], i));
	}
}

/* Two sets whose pages lie scattered over memory, with nothing but holes between them. */
static void map_scattered(struct sets *s)
{
	size_t each = FILLER_BYTES / PAGES;
	char *filler = mmap(NULL, FILLER_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (filler == MAP_FAILED || madvise(filler, FILLER_BYTES, MADV_NOHUGEPAGE))
		die("mmap: %s", strerror(errno));
	memset(s, 0, sizeof(*s));
	s->nr = 2;
	for (int k = 0; k < s->nr; k++) {
		pages_map(&s->p[k], PAGES, opt.seed);
		pages_advise(&s->p[k], 0, PAGES, MADV_NOHUGEPAGE);
	}
	for (size_t i = 0; i < PAGES; i++) {
		for (int k = 0; k < s->nr; k++)
			page_fill(&s->p[k], i, i + 1);
		for (size_t at = 0; at < each; at += page_size())
			filler[i * each + at] = 1;
	}
	munmap(filler, FILLER_BYTES);
}

struct moves {
	struct sets *s;
	uint64_t before[2 * PAGES];
	size_t count;
};

static bool compacted(void *arg)
{
	uint64_t after[2 * PAGES];
	struct moves *m = arg;

	compact_memory();
	frames_of(m->s, after);
	m->count = 0;
	for (size_t i = 0; i < 2 * PAGES; i++)
		m->count += m->before[i] != after[i];
	return m->count >= PAGES / 8;
}

static const char *compaction(void)
{
	struct sets s;
	struct moves m = { .s = &s };

	map_scattered(&s);
	sets_merge(&s, PAGES, "merged");
	frames_of(&s, m.before);
	if (!wait_for(opt.timeout, compacted, &m))
		die("compaction moves %zu of %d pages only", m.count, 2 * PAGES);
	say("  %zu of %d pages moved", m.count, 2 * PAGES);
	sets_stay(&s, PAGES, "compacted");
	sets_write(&s, 0, 0, PAGES);
	sets_expect(&s, 2 * PAGES, "written after compaction");
	sets_unmap(&s);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "swapoff", swap_comes_and_goes, 0 },
		{ "compaction", compaction, 0 },
		{ 0 },
	};

	return trials_main(argc, argv, trials, "Let the kernel move pages that KSM merges.");
}
