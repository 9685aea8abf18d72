/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is found out on demand, because it costs: who shares pages with whom, and what the mappings
 * of one process are. Made by join.c and detail.c, drawn by the panels.
 */
#ifndef KSMTOP_SHARING_H
#define KSMTOP_SHARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KSMTOP_PAIRS 1024 /* shown; the sums count all */

/**
 * struct ksmtop_pair - two processes that share merged pages; @a == @b: one with itself
 * @a, @b: @a <= @b
 * @pages: merged pages that both map
 */
struct ksmtop_pair {
	pid_t a, b;
	uint64_t pages;
};

/**
 * struct ksmtop_sharing - the answer
 * @pairs: most pages first
 * @npairs: how many of them are kept
 * @found: how many there are
 * @processes: that were looked at
 * @gone: of them those that could not be read
 * @looked: page table entries read
 * @frames: page frames that are mapped more than once
 * @mappings: how often
 * @sample: 1 of so many frames was taken, to stay within bounded memory; counts are scaled up
 * @cost_ns: time it took
 * @why: why there is no answer, "" when there is
 */
struct ksmtop_sharing {
	struct ksmtop_pair pairs[KSMTOP_PAIRS];
	size_t npairs, found;
	size_t processes, gone;
	uint64_t looked, frames, mappings;
	unsigned int sample;
	uint64_t cost_ns;
	char why[160];
};

#define KSMTOP_VMAS 256 /* shown, mergeable ones first */

/**
 * struct ksmtop_vma - one mapping
 * @start, @end: addresses
 * @rss, @merged: bytes present, and bytes of them in merged pages
 * @have_merged: this kernel tells
 * @mergeable: marked so
 * @path: file or [name], "" for anonymous memory; from the process, so not to be trusted
 */
struct ksmtop_vma {
	uint64_t start, end, rss, merged;
	bool have_merged, mergeable;
	char path[80];
};

/**
 * struct ksmtop_detail - one process's mappings
 * @pid: whose
 * @vmas: mergeable ones first, then by size
 * @nvmas: how many of them are kept
 * @found: how many there are
 * @mergeable: bytes of the mergeable ones
 * @cost_ns: time it took
 * @why: why there is no answer, "" when there is
 */
struct ksmtop_detail {
	pid_t pid;
	struct ksmtop_vma vmas[KSMTOP_VMAS];
	size_t nvmas, found;
	uint64_t mergeable;
	uint64_t cost_ns;
	char why[160];
};

#endif /* KSMTOP_SHARING_H */
