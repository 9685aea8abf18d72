/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many COW breaks can have been in the runs of a program that the kernel skipped.
 *
 * A kernel that can be preempted starts no program on a CPU where a preempted task is inside the
 * same one, and counts that. Most of these runs were no KSM page's; the kernel's own count of
 * breaks (cow_ksm) bounds the others.
 */
#ifndef KSMKIT_STREAM_MISSES_H
#define KSMKIT_STREAM_MISSES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct ksm_misses - zeroed at the start
 * @known: the kernel has such a count
 * @frozen: @end counts, nothing is watched any more
 * @start: the count before anything was watched
 * @end: and after
 */
struct ksm_misses {
	bool known;
	bool frozen;
	uint64_t start;
	uint64_t end;
};

/* Before the hooks are attached. */
void ksm_misses_begin(struct ksm_misses *m);

/* Before they are detached. */
void ksm_misses_end(struct ksm_misses *m);

/**
 * ksm_misses_bound() - how many breaks were missed, at most
 * @skipped: runs
 * @seen: breaks that were seen
 */
uint64_t ksm_misses_bound(const struct ksm_misses *m, uint64_t skipped, uint64_t seen);

#endif /* KSMKIT_STREAM_MISSES_H */
