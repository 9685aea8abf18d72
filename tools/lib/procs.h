/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who merges what, from /proc: the way that needs no BPF.
 *
 * One pass costs two or three opens for every process, so it is for status and for machines
 * where the BPF iterator is not to be had.
 */
#ifndef KSMKIT_PROCS_H
#define KSMKIT_PROCS_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/io.h"
#include "lib/util.h"

/* ksm_proc.present */
#define KSM_PROC_MERGING 1u
#define KSM_PROC_RMAP_ITEMS 2u
#define KSM_PROC_ZERO_PAGES 4u /* not before 6.12 */
#define KSM_PROC_MERGEABLE 8u  /* asked for, and smaps could be read */
#define KSM_PROC_UID 16u

/* flags of ksm_procs_read() */
#define KSM_PROCS_ALL 1u       /* rows also for processes that KSM knows nothing of */
#define KSM_PROCS_MERGEABLE 2u /* read smaps: slow, takes each process's mmap_lock */

/**
 * struct ksm_proc - one process
 * @tgid: process
 * @uid: effective user
 * @comm: name
 * @present: KSM_PROC_* bit for every figure below that could be had
 * @merging_pages: pages of it that are merged (every mapping of a KSM page counts)
 * @rmap_items: items KSM holds for it
 * @zero_pages: pages of it merged with the zero page
 * @mergeable_bytes: size of its mappings marked mergeable
 * @mergeable_anon: bytes of anonymous memory that is there in these: what a full scan visits
 */
struct ksm_proc {
	pid_t tgid;
	uid_t uid;
	char comm[16];
	uint32_t present;
	uint64_t merging_pages;
	uint64_t rmap_items;
	uint64_t zero_pages;
	uint64_t mergeable_bytes;
	uint64_t mergeable_anon;
};

/**
 * struct ksm_procs - the rows of one pass
 * @rows: sorted by ksm_proc_profit(), greatest first
 * @count: how many
 * @capacity: allocated
 * @seen: processes looked at
 * @denied: processes whose figures we may not read (not root); they have no row
 * @absent: what this kernel does not tell, KSM_PROC_* bits
 * @reason: why @denied or @absent, "" when neither
 */
struct ksm_procs {
	struct ksm_proc *rows;
	size_t count;
	size_t capacity;
	size_t seen;
	size_t denied;
	uint32_t absent;
	char reason[160];
};

/**
 * ksm_procs_read() - look at every process
 * @io: where
 * @p: zeroed before first use; rows are reused from pass to pass
 * @flags: KSM_PROCS_*
 *
 * A process that ends meanwhile has no row. Return: 0; -ENOMEM; negative errno when /proc cannot
 * be listed.
 */
int ksm_procs_read(const struct ksm_io *io, struct ksm_procs *p, unsigned int flags);

/**
 * ksm_proc_profit() - bytes the process contributes: merged and zero pages minus its rmap items
 */
int64_t ksm_proc_profit(const struct ksm_proc *row);

/**
 * ksm_mem_available() - what the kernel says can be allocated without swapping (MemAvailable)
 * @bytes: the figure
 *
 * Return: 0; -ENOENT when /proc/meminfo does not tell; negative errno.
 */
int ksm_mem_available(const struct ksm_io *io, uint64_t *bytes);

/**
 * ksm_procs_free() - release the rows; accepts a zeroed struct
 */
void ksm_procs_free(struct ksm_procs *p);

#endif /* KSMKIT_PROCS_H */
