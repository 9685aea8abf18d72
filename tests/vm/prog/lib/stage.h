/* SPDX-License-Identifier: GPL-2.0 */
/* The stage of ksm-life: two processes with equal, merged pages, and what can be done to them. */
#ifndef VM_PROG_STAGE_H
#define VM_PROG_STAGE_H

#include "lib.h"

#define LEFT 0
#define RIGHT 1

#define NEEDS_SWAP 1
#define NEEDS_MODULE 2

/**
 * struct scene - the pair and what is known of it
 * @workers: the processes; a pid of 0 is one that the scene killed
 * @pages: pages on each side, merged pairwise when the scene begins
 * @addr: where each side has them
 * @base: merged pages the backend reported before
 * @entries: both sides' pagemap
 * @last: what was counted last
 * @cgroup: group of both processes when the scene needs swap, else empty
 */
struct scene {
	struct worker workers[2];
	size_t pages;
	uintptr_t addr[2];
	long long base;
	uint64_t *entries;
	struct frames last;
	char cgroup[128];
};

/* Returns with both sides merged. */
void scene_start(struct scene *s, int needs);
void scene_end(struct scene *s);
/*
 * One command to one side (stage.c, actor_serve() has the list); dies when it fails.
 * Returns its answer.
 */
long scene_tell(struct scene *s, int side, int cmd, long arg);
/* Raw pagemap entries of both sides, left first; the caller frees them. */
uint64_t *scene_pagemap(struct scene *s);
void scene_look(struct scene *s);
void scene_expect_frames(struct scene *s, size_t want, const char *when);
void scene_wait_merged(struct scene *s);
void scene_verify(struct scene *s, const char *when);
/*
 * Move every page to another frame, from NUMA node to NUMA node; dies when one stays. With one
 * node: compact memory, which moves what it likes. Returns how many pages changed their frame.
 */
size_t scene_migrate_all(struct scene *s);
/* Reclaim until nine of ten pages are in swap; dies when they stay. Returns how many are. */
size_t scene_swap_out(struct scene *s);

#endif /* VM_PROG_STAGE_H */
