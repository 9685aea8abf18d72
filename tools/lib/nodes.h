/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NUMA nodes: which frames are theirs, and what merging saves on each.
 */
#ifndef KSMKIT_NODES_H
#define KSMKIT_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/io.h"
#include "lib/procs.h"

#define KSM_NODES_MAX 64

/**
 * struct ksm_node - one node
 * @id: its number
 * @frames: frames on it that several mergeable pages share
 * @saved: pages that need no frame because they share one of these
 */
struct ksm_node {
	unsigned int id;
	uint64_t frames;
	uint64_t saved;
};

/**
 * struct ksm_nodes - the nodes that have memory
 * @rows: by number
 * @count: how many
 * @reason: why the figures of @rows are not known, "" when they are
 */
struct ksm_nodes {
	struct ksm_node rows[KSM_NODES_MAX];
	size_t count;
	char reason[160];
};

/**
 * ksm_nodes_read() - find the nodes, and add up what is merged on each
 * @io: where
 * @procs: processes with merged pages
 * @count: how many
 * @nodes: filled
 *
 * Reads the page maps of the processes' mergeable mappings; pages that a fork shares and nobody
 * wrote since count as merged, pages merged with the kernel's page of zeroes do not. With one node
 * nothing is read: everything is on it. Return: 0, or negative errno when the nodes themselves
 * cannot be told.
 */
int ksm_nodes_read(const struct ksm_io *io, const struct ksm_proc *procs, size_t count,
		   struct ksm_nodes *nodes);

#endif /* KSMKIT_NODES_H */
