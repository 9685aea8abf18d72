/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does the memory exist that merging saved? Whoever gives merged pages back their own copies
 * (unmerge, detach, unloading the engine) asks first, so that the tools never cause an OOM.
 */
#ifndef KSMKIT_HEADROOM_H
#define KSMKIT_HEADROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/backend.h"
#include "lib/procs.h"

/* Room for a cgroup's path in messages; a longer one is cut. */
#define KSM_HEADROOM_WHERE 256

/**
 * struct ksm_headroom - what the copies need and what there is, where it is tightest
 * @need: bytes
 * @available: bytes: MemAvailable of the machine, or what a cgroup may still take (memory.max minus
 *	memory.current plus its page cache and reclaimable slab)
 * @where: "" for the machine, else the path of the cgroup whose limit binds
 */
struct ksm_headroom {
	int64_t need;
	uint64_t available;
	char where[KSM_HEADROOM_WHERE];
};

/**
 * ksm_headroom_all() - for giving back everything a backend has merged (run=2, rmmod)
 * @io: where
 * @s: its counters
 * @h: filled
 *
 * The need is pages_sharing plus ksm_zero_pages. A cgroup needs no more than its own processes have
 * merged, and no more than the machine does. Only cgroup version 2 is looked at; processes that
 * cannot be read count for the machine alone.
 *
 * Return: 0; -ENOENT when /proc/meminfo does not tell what is available; negative errno.
 */
int ksm_headroom_all(const struct ksm_io *io, const struct ksm_counters_snapshot *s,
		     struct ksm_headroom *h);

/**
 * ksm_headroom_procs() - for giving back what these processes have merged (detach)
 * @io: where
 * @rows: processes
 * @n: how many
 * @h: filled
 *
 * Every merged mapping needs a copy. Return: as ksm_headroom_all().
 */
int ksm_headroom_procs(const struct ksm_io *io, const struct ksm_proc *rows, size_t n,
		       struct ksm_headroom *h);

/**
 * ksm_headroom_fits() - is there enough?
 */
bool ksm_headroom_fits(const struct ksm_headroom *h);

/* "needs 16.0 MiB, 1.2 GiB available", with the cgroup where one binds. */
#define KSM_HEADROOM_TEXT (KSM_HEADROOM_WHERE + 96)

/**
 * ksm_headroom_text() - in words
 *
 * Return: @buf.
 */
char *ksm_headroom_text(char *buf, size_t size, const struct ksm_headroom *h);

#endif /* KSMKIT_HEADROOM_H */
