/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes added up by control group or guest.
 */
#ifndef KSMKIT_ROLLUP_H
#define KSMKIT_ROLLUP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/cgroup.h"
#include "lib/io.h"
#include "lib/procs.h"

enum ksm_rollup_by { KSM_ROLLUP_PROCESS, KSM_ROLLUP_CGROUP, KSM_ROLLUP_GUEST };

/**
 * struct ksm_group - what belongs together
 * @name: "docker:4f1c2d3e5a6b", "nginx.service", "web1"; KSM_GROUP_NONE for the rest
 * @path: control group, "" where it is not known; what groups are told apart by
 * @pid: a process of it, the one that saves most
 * @processes: how many
 * @present: KSM_PROC_* bits that at least one process had
 * @merging_pages: sums over the processes
 * @rmap_items: the same
 * @zero_pages: the same
 */
struct ksm_group {
	char name[KSM_CGROUP_NAME_MAX];
	char path[KSM_CGROUP_PATH_MAX];
	pid_t pid;
	size_t processes;
	uint32_t present;
	uint64_t merging_pages;
	uint64_t rmap_items;
	uint64_t zero_pages;
};

/* Name of the group of processes that are no guest, or whose control group cannot be read. */
#define KSM_GROUP_NONE "(none)"

/**
 * struct ksm_groups - the result
 * @rows: sorted by ksm_group_profit(), greatest first
 * @count: how many
 * @capacity: allocated
 */
struct ksm_groups {
	struct ksm_group *rows;
	size_t count;
	size_t capacity;
};

/**
 * ksm_rollup() - add processes up
 * @io: where their control groups and command lines are
 * @rows: processes, the ones that save most first
 * @count: how many
 * @by: what by; KSM_ROLLUP_PROCESS gives every process a group of its own
 * @groups: zeroed before first use; rows are reused
 *
 * Return: 0 or -ENOMEM.
 */
int ksm_rollup(const struct ksm_io *io, const struct ksm_proc *rows, size_t count,
	       enum ksm_rollup_by by, struct ksm_groups *groups);

/* Bytes the group contributes, as ksm_proc_profit(). */
int64_t ksm_group_profit(const struct ksm_group *g);

/* "process", "cgroup", "guest". Return: 0, or -EINVAL for another word. */
int ksm_rollup_parse(const char *word, enum ksm_rollup_by *by);
const char *ksm_rollup_word(enum ksm_rollup_by by);

/* Accepts a zeroed struct. */
void ksm_groups_free(struct ksm_groups *groups);

#endif /* KSMKIT_ROLLUP_H */
