// SPDX-License-Identifier: GPL-2.0
/* What takes a scene's pages away from their frames: migration and swap. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage.h"

#define MPOL_F_MEMS_ALLOWED (1 << 2)
#define MPOL_MF_MOVE_ALL (1 << 2)

static bool two_nodes(void)
{
	unsigned long mask[16] = { 0 };

	if (syscall(SYS_get_mempolicy, NULL, mask, sizeof(mask) * 8, NULL, MPOL_F_MEMS_ALLOWED))
		return false;
	return (mask[0] & 3) == 3;
}

/**
 * struct move - pages of one process on their way to one node
 * @pid: the process
 * @addrs: of its pages
 * @nodes: target of each
 * @status: node each is on, or -errno
 * @nr: how many
 */
struct move {
	pid_t pid;
	void **addrs;
	int *nodes;
	int *status;
	size_t nr;
};

/* A page that the scanner just holds is busy: the next attempt gets it. */
static bool all_there(void *arg)
{
	struct move *m = arg;
	size_t there = 0;

	if (syscall(SYS_move_pages, m->pid, m->nr, m->addrs, m->nodes, m->status,
		    MPOL_MF_MOVE_ALL) < 0)
		die("move_pages of %d: %s", m->pid, strerror(errno));
	if (syscall(SYS_move_pages, m->pid, m->nr, m->addrs, NULL, m->status, 0) < 0)
		die("move_pages query of %d: %s", m->pid, strerror(errno));
	for (size_t i = 0; i < m->nr; i++)
		there += m->status[i] == m->nodes[i];
	return there == m->nr;
}

static void move_side(struct scene *s, int side, int node)
{
	struct move m = { .pid = s->workers[side].pid, .nr = s->pages };

	m.addrs = calloc(m.nr, sizeof(*m.addrs));
	m.nodes = calloc(m.nr, sizeof(*m.nodes));
	m.status = calloc(m.nr, sizeof(*m.status));
	if (!m.addrs || !m.nodes || !m.status)
		die("no memory to move %zu pages", m.nr);
	for (size_t i = 0; i < m.nr; i++) {
		m.addrs[i] = (void *)(s->addr[side] + i * page_size());
		m.nodes[i] = node;
	}
	if (!wait_for(opt.timeout, all_there, &m)) {
		size_t i = 0;

		while (m.status[i] == node)
			i++;
		die("page %zu of process %d does not go to node %d (status %d)", i, m.pid, node,
		    m.status[i]);
	}
	free(m.addrs);
	free(m.nodes);
	free(m.status);
}

static void compact(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		die("/proc/sys/vm/compact_memory: %s", strerror(errno));
	close(fd);
}

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
		compact();
		seen = note_moves(s, seen, moved);
	}
	/* To one node and to the other: wherever a page was, it had to leave once. */
	for (int node = 1; nodes && node >= 0; node--) {
		move_side(s, LEFT, node);
		move_side(s, RIGHT, node);
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

static void reclaim(struct scene *s)
{
	char path[160], amount[32];
	int fd, len;

	snprintf(path, sizeof(path), "%s/memory.reclaim", s->cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	len = snprintf(amount, sizeof(amount), "%zu", 2 * s->pages * page_size());
	/* EAGAIN: less than that could be freed. The pagemap tells how much. */
	if (write(fd, amount, len) != len && errno != EAGAIN)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static bool swapped_out(void *arg)
{
	struct scene *s = arg;

	reclaim(s);
	scene_look(s);
	return s->last.swapped >= 2 * s->pages * 9 / 10;
}

size_t scene_swap_out(struct scene *s)
{
	if (!wait_for(opt.timeout, swapped_out, s))
		die("only %zu of %zu pages go to swap", s->last.swapped, 2 * s->pages);
	return s->last.swapped;
}
