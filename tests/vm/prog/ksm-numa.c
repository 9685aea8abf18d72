// SPDX-License-Identifier: GPL-2.0
/*
 * merge_across_nodes: with 0 no frame is shared by pages that were on different NUMA nodes.
 *
 * The same contents are placed twice on each of two nodes. Kept apart they end as one frame a node;
 * together as one frame in all. Where a page is, the kernel is asked (move_pages without targets).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lib.h"

#define PAGES 256 /* contents; each stands twice on each node */
#define MPOL_BIND_MODE 2

static struct pages sets[4]; /* node 0, node 0, node 1, node 1 */

static void bind_to(struct pages *p, int node)
{
	unsigned long mask = 1UL << node;

	if (syscall(SYS_mbind, p->mem, p->nr * page_size(), MPOL_BIND_MODE, &mask,
		    8 * sizeof(mask), 0))
		die("mbind to node %d: %s (two nodes are needed: run with --numa)", node,
		    strerror(errno));
}

static int node_of(const void *addr)
{
	void *page = (void *)(uintptr_t)addr;
	int status = -1;

	if (syscall(SYS_move_pages, 0, 1UL, &page, NULL, &status, 0) || status < 0)
		die("cannot ask where a page is: %d", status);
	return status;
}

static void map_all(void)
{
	for (int s = 0; s < 4; s++) {
		pages_map(&sets[s], PAGES, opt.seed);
		bind_to(&sets[s], s / 2);
		for (size_t i = 0; i < PAGES; i++)
			page_fill(&sets[s], i, i + 1);
		if (node_of(page_at(&sets[s], 0)) != s / 2)
			die("pages for node %d are on node %d", s / 2,
			    node_of(page_at(&sets[s], 0)));
		pages_advise(&sets[s], 0, PAGES, MADV_MERGEABLE);
	}
}

static size_t frames_of(const int *which, int nr)
{
	uint64_t *entries = calloc((size_t)nr * PAGES, sizeof(*entries));
	struct frames seen;

	if (!entries)
		die("no memory");
	for (int s = 0; s < nr; s++)
		if (pagemap_read(getpid(), (uintptr_t)sets[which[s]].mem, PAGES,
				 entries + s * PAGES))
			die("cannot read pagemap");
	frames_count(entries, (size_t)nr * PAGES, &seen);
	free(entries);
	return seen.distinct;
}

static void check_contents(const char *when)
{
	for (int s = 0; s < 4; s++)
		if (pages_wrong(&sets[s], 0, PAGES))
			die("%s: contents are wrong", when);
}

static void merge(int across, size_t frames)
{
	static const int all[] = { 0, 1, 2, 3 };
	size_t seen;

	if (ksm_write(opt.backend, "merge_across_nodes", across))
		die("cannot set merge_across_nodes to %d", across);
	ksm_full_speed(opt.backend);
	ksm_wait_items(opt.backend, 4 * PAGES, "all pages merged");
	seen = frames_of(all, 4);
	if (seen != frames)
		die("merge_across_nodes=%d: %zu frames, expected %zu", across, seen, frames);
	if (ksm_write(opt.backend, "merge_across_nodes", !across) != -EBUSY)
		die("merge_across_nodes can be changed while pages are merged");
	check_contents("merged");
	say("merge_across_nodes=%d: %d pages of %d contents on %zu frames", across, 4 * PAGES,
	    PAGES, seen);
}

static void check_nodes(void)
{
	for (int s = 0; s < 4; s++)
		for (size_t i = 0; i < PAGES; i++)
			if (node_of(page_at(&sets[s], i)) != s / 2)
				die("a page of node %d is on node %d", s / 2,
				    node_of(page_at(&sets[s], i)));
}

int main(int argc, char **argv)
{
	args_parse(argc, argv, NULL, "Keep NUMA nodes apart, and not: where are the frames?");
	map_all();
	merge(0, 2 * PAGES);
	check_nodes();
	ksm_clear(opt.backend);
	merge(1, PAGES);
	ksm_clear(opt.backend);
	say("ok: nodes are kept apart, and joined, as asked");
	return 0;
}
