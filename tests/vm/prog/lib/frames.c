// SPDX-License-Identifier: GPL-2.0
/* What takes a scene's pages away from their frames: migration and swap. */
#include <stdlib.h>

#include "stage.h"

/* Marks in @moved the pages whose frame differs from @before, which is replaced. */
static uint64_t *note_moves(struct scene *s, uint64_t *before, bool *moved)
{
	uint64_t *after = scene_pagemap(s);

	for (size_t i = 0; i < 2 * s->pages; i++) {
		if (entry_present(before[i]) && entry_present(after[i]))
			moved[i] |= entry_pfn(before[i]) != entry_pfn(after[i]);
	}
	free(before);
	return after;
}

size_t scene_migrate_all(struct scene *s)
{
	bool *moved = calloc(2 * s->pages, sizeof(*moved));
	uint64_t *seen = scene_pagemap(s);
	bool nodes = two_nodes();
	size_t count = 0;

	if (!moved)
		die("no memory to follow %zu pages", 2 * s->pages);
	if (!nodes) {
		compact_memory();
		seen = note_moves(s, seen, moved);
	}
	/* To one node and to the other: wherever a page was, it had to leave once. */
	for (int node = 1; nodes && node >= 0; node--) {
		for (int side = 0; side < 2; side++)
			move_to_node(s->workers[side].pid, s->addr[side], s->pages, node);
		seen = note_moves(s, seen, moved);
	}
	for (size_t i = 0; i < 2 * s->pages; i++)
		count += moved[i];
	if (nodes && count != 2 * s->pages)
		die("only %zu of %zu pages changed their frame", count, 2 * s->pages);
	free(seen);
	free(moved);
	return count;
}

static bool swapped_out(void *arg)
{
	struct scene *s = arg;

	cgroup_reclaim(s->cgroup, 2 * s->pages * page_size());
	scene_look(s);
	return s->last.swapped >= 2 * s->pages * 9 / 10;
}

size_t scene_swap_out(struct scene *s)
{
	if (!wait_for(opt.timeout, swapped_out, s))
		die("only %zu of %zu pages go to swap", s->last.swapped, 2 * s->pages);
	return s->last.swapped;
}
