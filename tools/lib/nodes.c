// SPDX-License-Identifier: GPL-2.0
#include "lib/nodes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/pagemap.h"
#include "lib/util.h"

#define SPANS_MAX 256
/* 64 MiB of frame numbers: 32 GiB of merged pages. */
#define FRAMES_MAX (8u << 20)
#define CHUNK 4096

/**
 * struct collect - frames that mergeable pages share
 * @spans: frames of the nodes, by zone
 * @frames: frame of every page found, as often as it is mapped
 */
struct collect {
	const struct ksm_io *io;
	struct span {
		unsigned int node;
		uint64_t start;
		uint64_t frames;
	} spans[SPANS_MAX];
	size_t span_count;
	uint64_t *frames;
	size_t count;
	size_t capacity;
	uint64_t zero;
	pid_t pid;
	int fd;
};

static int zone_line(const char *line, void *ctx)
{
	struct collect *c = ctx;
	struct span *span = c->span_count ? &c->spans[c->span_count - 1] : NULL;
	unsigned int node;
	uint64_t value;

	if (sscanf(line, "Node %u, zone", &node) == 1) {
		if (c->span_count < SPANS_MAX)
			c->spans[c->span_count++] = (struct span){ .node = node };
	} else if (span && sscanf(line, " spanned %" SCNu64, &value) == 1) {
		span->frames = value;
	} else if (span && sscanf(line, " start_pfn: %" SCNu64, &value) == 1) {
		span->start = value;
	}
	return 0;
}

static void find_nodes(const struct collect *c, struct ksm_nodes *nodes)
{
	for (size_t i = 0; i < c->span_count; i++) {
		unsigned int id = c->spans[i].node;
		bool seen = nodes->count && nodes->rows[nodes->count - 1].id == id;

		if (c->spans[i].frames && !seen && nodes->count < KSM_NODES_MAX)
			nodes->rows[nodes->count++].id = id;
	}
}

static struct ksm_node *node_of(const struct collect *c, struct ksm_nodes *nodes, uint64_t pfn)
{
	for (size_t i = 0; i < c->span_count; i++) {
		const struct span *span = &c->spans[i];

		if (pfn < span->start || pfn - span->start >= span->frames)
			continue;
		for (size_t n = 0; n < nodes->count; n++)
			if (nodes->rows[n].id == span->node)
				return &nodes->rows[n];
	}
	return NULL;
}

static int add_frame(struct collect *c, uint64_t pfn)
{
	size_t capacity = c->capacity ? c->capacity * 2 : 65536;
	uint64_t *frames;

	if (c->count == FRAMES_MAX)
		return -E2BIG;
	if (c->count == c->capacity) {
		frames = reallocarray(c->frames, capacity, sizeof(*frames));
		if (!frames)
			return -ENOMEM;
		c->frames = frames;
		c->capacity = capacity;
	}
	c->frames[c->count++] = pfn;
	return 0;
}

static int add_entry(struct collect *c, uint64_t entry)
{
	uint64_t pfn = entry & KSM_PM_PFN;

	if (!(entry & KSM_PM_PRESENT) || entry & (KSM_PM_FILE | KSM_PM_EXCLUSIVE))
		return 0;
	if (!pfn)
		return -EPERM;
	return pfn == c->zero ? 0 : add_frame(c, pfn);
}

static int add_mapping(const struct ksm_mapping *map, void *ctx)
{
	struct collect *c = ctx;
	uint64_t entries[CHUNK], page = (uint64_t)ksm_page_size();
	int ret = 0;

	if (!(map->flags & KSM_MAP_MERGEABLE) || !map->anonymous)
		return 0;
	for (uint64_t at = map->start; at < map->end && !ret; at += CHUNK * page) {
		uint64_t left = (map->end - at) / page;
		ssize_t n = ksm_pagemap_read(c->fd, at, entries, left < CHUNK ? left : CHUNK);

		if (n <= 0)
			return 0; /* gone meanwhile */
		for (ssize_t i = 0; i < n && !ret; i++)
			ret = add_entry(c, entries[i]);
	}
	return ret;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_up(struct collect *c, struct ksm_nodes *nodes)
{
	if (c->count)
		qsort(c->frames, c->count, sizeof(*c->frames), by_number);
	for (size_t from = 0, to; from < c->count; from = to) {
		struct ksm_node *node = node_of(c, nodes, c->frames[from]);

		for (to = from + 1; to < c->count && c->frames[to] == c->frames[from];)
			to++;
		if (!node || to - from < 2)
			continue;
		node->frames++;
		node->saved += to - from - 1;
	}
}

static int read_processes(struct collect *c, const struct ksm_proc *procs, size_t count)
{
	size_t wanted = 0, opened = 0;
	int ret = 0;

	c->zero = ksm_zero_pfn(c->io);
	for (size_t i = 0; i < count && !ret; i++) {
		if (!procs[i].merging_pages)
			continue;
		wanted++;
		c->fd = ksm_pagemap_open(c->io, procs[i].tgid);
		if (c->fd < 0)
			continue;
		opened++;
		ret = ksm_mappings_each(c->io, procs[i].tgid, add_mapping, c);
		close(c->fd);
		if (ret == -ENOENT || ret == -ESRCH)
			ret = 0;
	}
	return !ret && wanted && !opened ? -EACCES : ret;
}

int ksm_nodes_read(const struct ksm_io *io, const struct ksm_proc *procs, size_t count,
		   struct ksm_nodes *nodes)
{
	struct collect *c = calloc(1, sizeof(*c));
	int ret = c ? 0 : -ENOMEM;

	memset(nodes, 0, sizeof(*nodes));
	if (!ret) {
		c->io = io;
		ret = ksm_io_each_line(io, "/proc/zoneinfo", zone_line, c);
	}
	if (!ret)
		find_nodes(c, nodes);
	if (!ret && nodes->count > 1) {
		int why = read_processes(c, procs, count);

		if (why)
			snprintf(nodes->reason, sizeof(nodes->reason), "%s",
				 why == -EPERM	? "frames cannot be told without CAP_SYS_ADMIN" :
				 why == -EACCES ? "no process lets us read its page map" :
				 why == -E2BIG ? "too much is merged to be looked at page by page" :
						 strerror(-why));
		else
			add_up(c, nodes);
	}
	if (c)
		free(c->frames);
	free(c);
	return ret;
}
