// SPDX-License-Identifier: GPL-2.0
/*
 * Whether anything was merged: a stress under which nothing ever is proves nothing. Frames are the
 * witness, and the engine's own count tells its work from in-tree KSM's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "stress.h"

/* So many looks without one merged page, and there are none. */
#define LOOKS_ENOUGH 64
#define STATE "/sys/kernel/debug/" KSM_ABI_ENGINE_NAME "/state"

/* Pages that nobody wrote to may all be on the kernel's zero page. */
static bool is_zeroes(const struct page_want *want)
{
	return !want->id && want->word == NO_PATCH;
}

/* Two pages of one process are on one frame by merging only. */
static size_t saved_by_frames(const struct pages *p)
{
	uint64_t *entries = calloc(p->nr, sizeof(*entries));
	struct frames seen;
	size_t nr = 0;

	if (!entries || pagemap_read(getpid(), (uintptr_t)p->mem, p->nr, entries))
		die("cannot read pagemap");
	for (size_t i = 0; i < p->nr; i++) {
		if (!is_zeroes(&p->want[i]))
			entries[nr++] = entries[i];
	}
	frames_count(entries, nr, &seen);
	free(entries);
	return seen.mapped - seen.distinct;
}

void merging_look(struct stressor *s)
{
	long long counted = ksm_try_read(&backends[BACKEND_ENGINE], "pages_sharing");

	__atomic_fetch_add(&arena->looks, 1, __ATOMIC_RELAXED);
	if (counted > 0 && saved_by_frames(&s->pages))
		__atomic_fetch_add(&arena->looks_merged, 1, __ATOMIC_RELAXED);
	if (counted > arena->most_merged)
		arena->most_merged = counted;
}

/* Lines "outcome N TEXT", of which those that save a page. */
static unsigned long merges_since_load(void)
{
	unsigned long sum = 0, n;
	char line[160], text[96];
	FILE *f = fopen(STATE, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "outcome %lu %95[^\n]", &n, text) == 2 &&
		    (!strncmp(text, "merged", 6) || !strncmp(text, "replaced", 8)))
			sum += n;
	}
	if (f)
		fclose(f);
	return sum;
}

void merging_note(void)
{
	arena->merges += merges_since_load();
}

static bool seen_merged(void *arg)
{
	const unsigned long *before = arg;

	return arena->over || arena->looks_merged > *before;
}

void merging_wait(double seconds)
{
	unsigned long before = arena->looks_merged;

	wait_for(seconds, seen_merged, &before);
}

bool merging_known(void)
{
	return arena->looks_merged || arena->looks >= LOOKS_ENOUGH;
}

void merging_judge(void)
{
	if (!arena->looks_merged)
		die("nothing was merged in any of %lu looks: this run proves nothing",
		    arena->looks);
}
