// SPDX-License-Identifier: GPL-2.0
/* The judge's side of a scene: start, look, verify, end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"
#include "actor.h"

long scene_tell(struct scene *s, int side, int cmd, long arg)
{
	return worker_call(&s->workers[side], cmd, arg);
}

/* The pagemap of both sides, left first, into @entries; a killed side has no pages. */
static void read_both(struct scene *s, uint64_t *entries)
{
	for (int i = 0; i < 2; i++) {
		uint64_t *to = entries + i * s->pages;
		int err = 0;

		if (s->workers[i].pid)
			err = pagemap_read(s->workers[i].pid, s->addr[i], s->pages, to);
		else
			memset(to, 0, s->pages * sizeof(*to));
		if (err)
			die("pagemap of %d: %s", s->workers[i].pid, strerror(-err));
	}
}

uint64_t *scene_pagemap(struct scene *s)
{
	uint64_t *entries = calloc(2 * s->pages, sizeof(*entries));

	if (!entries)
		die("no memory for pagemap entries");
	read_both(s, entries);
	return entries;
}

void scene_look(struct scene *s)
{
	read_both(s, s->entries);
	frames_count(s->entries, 2 * s->pages, &s->last);
}

void scene_expect_frames(struct scene *s, size_t want, const char *when)
{
	if (s->last.distinct != want)
		die("%s: %zu pages on %zu frames, %zu expected", when, s->last.mapped,
		    s->last.distinct, want);
}

static bool merged(void *arg)
{
	struct scene *s = arg;

	scene_look(s);
	return s->last.mapped == 2 * s->pages && s->last.distinct == s->pages;
}

void scene_wait_merged(struct scene *s)
{
	if (!wait_for(opt.timeout, merged, s))
		die("%zu pages mapped on %zu frames after %.0f s, %zu on %zu expected",
		    s->last.mapped, s->last.distinct, opt.timeout, 2 * s->pages, s->pages);
}

void scene_verify(struct scene *s, const char *when)
{
	for (int i = 0; i < 2; i++) {
		long wrong = s->workers[i].pid ? scene_tell(s, i, 'v', 0) : 0;

		if (wrong)
			die("%s: %ld pages of the %s side hold wrong content", when, wrong,
			    i == LEFT ? "left" : "right");
	}
}

void scene_start(struct scene *s, int needs)
{
	static const char *const names[] = { "vm-left", "vm-right" };
	struct actor actor = { .cgroup = NULL };

	if (needs & NEEDS_SWAP) {
		/* For both sides, so that exactly their memory can be reclaimed. */
		cgroup_make(s->cgroup, "ksm-life");
		actor.cgroup = s->cgroup;
	}
	s->entries = calloc(2 * s->pages, sizeof(*s->entries));
	if (!s->entries)
		die("no memory for pagemap entries");
	ksm_full_speed(opt.backend);
	s->base = ksm_items(opt.backend);
	for (int i = 0; i < 2; i++) {
		actor.rnd = opt.seed * 2 + i;
		worker_start(&s->workers[i], names[i], actor_serve, &actor);
		s->addr[i] = scene_tell(s, i, 'f', s->pages);
	}
	scene_wait_merged(s);
	scene_verify(s, "merged");
}

void scene_end(struct scene *s)
{
	for (int i = 0; i < 2; i++) {
		if (s->workers[i].pid)
			worker_stop(&s->workers[i]);
	}
	ksm_clear(opt.backend);
	if (*s->cgroup)
		cgroup_remove(s->cgroup);
	free(s->entries);
}
