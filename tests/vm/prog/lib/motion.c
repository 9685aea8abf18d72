// SPDX-License-Identifier: GPL-2.0
/* What takes pages away from their frames: migration, compaction, reclaim. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"

#define MPOL_F_MEMS_ALLOWED (1 << 2)
#define MPOL_MF_MOVE_ALL (1 << 2)

bool two_nodes(void)
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

void move_to_node(pid_t pid, uintptr_t addr, size_t nr, int node)
{
	struct move m = { .pid = pid, .nr = nr };

	m.addrs = calloc(nr, sizeof(*m.addrs));
	m.nodes = calloc(nr, sizeof(*m.nodes));
	m.status = calloc(nr, sizeof(*m.status));
	if (!m.addrs || !m.nodes || !m.status)
		die("no memory to move %zu pages", nr);
	for (size_t i = 0; i < nr; i++) {
		m.addrs[i] = (void *)(addr + i * page_size());
		m.nodes[i] = node;
	}
	if (!wait_for(opt.timeout, all_there, &m)) {
		size_t i = 0;

		while (m.status[i] == node)
			i++;
		die("page %zu of process %d does not go to node %d (status %d)", i, pid, node,
		    m.status[i]);
	}
	free(m.addrs);
	free(m.nodes);
	free(m.status);
}

void compact_memory(void)
{
	must_write_file("/proc/sys/vm/compact_memory", "1");
}

static void cgroup_root(char root[100])
{
	char type[32], line[512];
	FILE *f = fopen("/proc/mounts", "r");

	*root = '\0';
	while (f && !*root && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %99s %31s", root, type) != 2 || strcmp(type, "cgroup2"))
			*root = '\0';
	}
	if (f)
		fclose(f);
	if (!*root)
		die("no cgroup2 file system is mounted: memory.reclaim cannot be had");
}

void cgroup_make(char path[128], const char *name)
{
	char root[100], line[512];
	FILE *f = fopen("/proc/swaps", "r");
	size_t lines = 0;

	while (f && fgets(line, sizeof(line), f))
		lines++;
	if (f)
		fclose(f);
	if (lines < 2)
		die("no swap is on: mkswap and swapon a device first");
	cgroup_root(root);
	snprintf(path, 128, "%s/%s", root, name);
	if (mkdir(path, 0755) && errno != EEXIST)
		die("mkdir %s: %s", path, strerror(errno));
}

void cgroup_join(const char *path)
{
	char file[160];

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	must_write_file(file, "0");
}

void cgroup_reclaim(const char *path, size_t bytes)
{
	char file[160], amount[32];
	int err;

	snprintf(file, sizeof(file), "%s/memory.reclaim", path);
	snprintf(amount, sizeof(amount), "%zu", bytes);
	/* EAGAIN: less than that could be freed. */
	err = write_file(file, amount);
	if (err && err != -EAGAIN)
		die("%s: %s", file, strerror(-err));
}

static bool removed(void *arg)
{
	return !rmdir(arg) || errno != EBUSY;
}

void cgroup_remove(const char *path)
{
	char root[100];

	cgroup_root(root);
	cgroup_join(root);
	/* Threads of the kernel that served a member (of KVM) leave a moment later. */
	if (!wait_for(opt.timeout, removed, (void *)path) || !access(path, F_OK))
		die("rmdir %s: %s", path, strerror(errno));
}
