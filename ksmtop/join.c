// SPDX-License-Identifier: GPL-2.0
/* Page frames that several mergeable mappings have in common. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/pagemap.h"
#include "lib/util.h"
#include "maps.h"

#define FRAMES (UINT32_C(1) << 19) /* kept at once: 8 MiB */
#define PAIRS (UINT32_C(1) << 16)  /* slots for pairs, at most 3/4 used */
#define CHUNK 512		   /* page table entries read at once */
#define CROWD 64		   /* more processes on one frame than that are sampled */

#define KPAGEFLAGS_KSM (UINT64_C(1) << 21)

struct mapped {
	uint64_t pfn;
	uint32_t who; /* index into the pids */
};

/**
 * struct join - a search under way
 * @frames: mappings of frames whose hash has @mask's bits clear
 * @zero: frame of the page of zeroes, which everybody maps
 * @pagemap: of the process being read
 * @flags: kpageflags, -1 when it cannot be read
 * @slots: pairs by a hash of them, open addressing
 */
struct join {
	const struct ksm_io *io;
	const pid_t *pids;
	struct ksmtop_sharing *out;
	struct mapped *frames;
	size_t count;
	uint64_t mask;
	uint64_t page, zero;
	int pagemap, flags;
	uint32_t who;
	struct ksmtop_pair *slots;
	size_t used;
};

static uint64_t hash(uint64_t v)
{
	v *= UINT64_C(0x9e3779b97f4a7c15);
	return v ^ v >> 29;
}

static int open_proc(const struct ksm_io *io, const char *path)
{
	char full[PATH_MAX + 64];

	snprintf(full, sizeof(full), "%s%s", io->root, path);
	return open(full, O_RDONLY | O_CLOEXEC);
}

/* ---- frames -------------------------------------------------------------------------------- */

/* Half of the frames that were taken so far have to do for all. */
static void take_fewer(struct join *j)
{
	size_t kept = 0;

	j->mask = j->mask << 1 | 1;
	for (size_t i = 0; i < j->count; i++)
		if (!(hash(j->frames[i].pfn) & j->mask))
			j->frames[kept++] = j->frames[i];
	j->count = kept;
}

static void take(struct join *j, uint64_t pfn)
{
	if (!pfn || pfn == j->zero || hash(pfn) & j->mask)
		return;
	while (j->count == FRAMES)
		take_fewer(j);
	if (!(hash(pfn) & j->mask))
		j->frames[j->count++] = (struct mapped){ pfn, j->who };
}

static int read_mapping(const struct ksm_mapping *map, void *ctx)
{
	uint64_t entries[CHUNK];
	struct join *j = ctx;

	if (!(map->flags & KSM_MAP_MERGEABLE) || !map->anonymous)
		return 0;
	for (uint64_t a = map->start; a < map->end; a += CHUNK * j->page) {
		uint64_t n = (map->end - a) / j->page;
		ssize_t got = ksm_pagemap_read(j->pagemap, a, entries, n < CHUNK ? n : CHUNK);

		if (got <= 0)
			return 0;
		j->out->looked += (uint64_t)got;
		for (ssize_t i = 0; i < got; i++)
			if (entries[i] & KSM_PM_PRESENT && !(entries[i] & KSM_PM_FILE))
				take(j, entries[i] & KSM_PM_PFN);
	}
	return 0;
}

static void read_process(struct join *j, uint32_t who)
{
	j->who = who;
	j->out->processes++;
	j->pagemap = ksm_pagemap_open(j->io, j->pids[who]);
	if (j->pagemap < 0) {
		j->out->gone++;
		return;
	}
	if (ksm_mappings_each(j->io, j->pids[who], read_mapping, j))
		j->out->gone++;
	close(j->pagemap);
}

static int by_frame(const void *a, const void *b)
{
	const struct mapped *x = a, *y = b;

	if (x->pfn != y->pfn)
		return x->pfn < y->pfn ? -1 : 1;
	return x->who < y->who ? -1 : x->who > y->who;
}

/* Frames that fork() shares are no work of KSM. Where nobody can tell, it is. */
static bool is_merged(const struct join *j, uint64_t pfn)
{
	uint64_t flags;

	return j->flags < 0 ||
	       pread(j->flags, &flags, sizeof(flags), (off_t)(pfn * sizeof(flags))) !=
		       sizeof(flags) ||
	       flags & KPAGEFLAGS_KSM;
}

/* ---- pairs --------------------------------------------------------------------------------- */

static void add_pair(struct join *j, pid_t a, pid_t b, uint64_t pages)
{
	pid_t low = a < b ? a : b, high = a < b ? b : a;
	size_t i = hash((uint64_t)low << 32 | (uint32_t)high) & (PAIRS - 1);

	while (j->slots[i].a && (j->slots[i].a != low || j->slots[i].b != high))
		i = (i + 1) & (PAIRS - 1);
	if (!j->slots[i].a) {
		if (j->used >= PAIRS / 4 * 3)
			return;
		j->used++;
		j->slots[i] = (struct ksmtop_pair){ .a = low, .b = high };
	}
	j->slots[i].pages += pages;
}

/* One frame, mapped @n times. Of frames that many share some stand for all. */
static void add_frame(struct join *j, const struct mapped *f, size_t n)
{
	uint64_t scale = j->mask + 1, weight = 1;
	size_t crowd = 0;

	j->out->frames += scale;
	j->out->mappings += n * scale;
	for (size_t i = 0; i < n; i++)
		crowd += !i || f[i].who != f[i - 1].who;
	if (crowd > CROWD)
		weight = (crowd / CROWD) * (crowd / CROWD);
	if (hash(~f->pfn) % weight)
		return;
	for (size_t i = 0; i < n; i++) {
		if (i && f[i].who == f[i - 1].who) {
			if (i < 2 || f[i].who != f[i - 2].who)
				add_pair(j, j->pids[f[i].who], j->pids[f[i].who], scale * weight);
			continue;
		}
		for (size_t k = i + 1; k < n; k++)
			if (f[k].who != f[k - 1].who)
				add_pair(j, j->pids[f[i].who], j->pids[f[k].who], scale * weight);
	}
}

static int by_pages(const void *a, const void *b)
{
	const struct ksmtop_pair *x = a, *y = b;

	if (x->pages != y->pages)
		return x->pages < y->pages ? 1 : -1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

static void join_frames(struct join *j)
{
	qsort(j->frames, j->count, sizeof(*j->frames), by_frame);
	for (size_t i = 0, n; i < j->count; i += n) {
		for (n = 1; i + n < j->count && j->frames[i + n].pfn == j->frames[i].pfn; n++)
			;
		if (n > 1 && is_merged(j, j->frames[i].pfn))
			add_frame(j, &j->frames[i], n);
	}
	qsort(j->slots, PAIRS, sizeof(*j->slots), by_pages);
	j->out->found = j->used;
	j->out->npairs = j->used < KSMTOP_PAIRS ? j->used : KSMTOP_PAIRS;
	memcpy(j->out->pairs, j->slots, j->out->npairs * sizeof(*j->slots));
	j->out->sample = (unsigned int)(j->mask + 1);
}

void join_run(const struct ksm_io *io, const pid_t *pids, size_t n, struct ksmtop_sharing *out)
{
	uint64_t start = ksm_monotonic_ns();
	struct join j = { .io = io, .pids = pids, .out = out, .page = (uint64_t)ksm_page_size() };

	*out = (struct ksmtop_sharing){ .sample = 1 };
	j.zero = ksm_zero_pfn(io);
	j.frames = malloc(FRAMES * sizeof(*j.frames));
	j.slots = calloc(PAIRS, sizeof(*j.slots));
	j.flags = open_proc(io, "/proc/kpageflags");
	if (!j.frames || !j.slots) {
		snprintf(out->why, sizeof(out->why), "no memory for it");
	} else if (geteuid() && !io->root[0]) {
		snprintf(out->why, sizeof(out->why), "page frames may not be seen: run as root");
	} else {
		for (size_t i = 0; i < n; i++)
			read_process(&j, (uint32_t)i);
		join_frames(&j);
	}
	if (j.flags >= 0)
		close(j.flags);
	free(j.frames);
	free(j.slots);
	out->cost_ns = ksm_monotonic_ns() - start;
}
