// SPDX-License-Identifier: GPL-2.0
/*
 * merge_across_nodes: with 0 no frame is shared by pages that were on different NUMA nodes.
 *
 * The same contents are placed twice on each of two nodes. Kept apart they end as one frame a node;
 * together as one frame in all. A KSM page that is moved to the other node, and that nobody else
 * maps, becomes a part of the one there. Where a page is, the kernel is asked (move_pages without
 * targets).
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
#define MOVE_OWN_PAGES 2 /* MPOL_MF_MOVE */

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

static bool all_on_node_1(void *arg)
{
	struct pages *p = arg;
	void *pages[PAGES];
	int nodes[PAGES], status[PAGES];
	size_t there = 0;

	for (size_t i = 0; i < PAGES; i++) {
		pages[i] = page_at(p, i);
		nodes[i] = 1;
	}
	/* Pages that somebody just holds stay: hence more than once. */
	if (syscall(SYS_move_pages, 0, (unsigned long)PAGES, pages, nodes, status,
		    MOVE_OWN_PAGES) < 0)
		die("move_pages: %s", strerror(errno));
	for (size_t i = 0; i < PAGES; i++)
		there += node_of(pages[i]) == 1;
	return there == PAGES;
}

static bool joined(void *arg)
{
	static const int others[] = { 0, 2, 3 };

	return frames_of(others, 3) == PAGES;
}

/*
 * KSM pages with one mapping each are migrated to where there are equal ones: they become those.
 * In-tree KSM means to do the same, but asks page_address_in_vma() for the address, which knows no
 * KSM pages: each stays alone, and loses its item.
 */
static void move_lone_pages(void)
{
	for (size_t i = 0; i < PAGES; i++)
		page_fill(&sets[1], i, 5000 + i);
	ksm_wait_items(opt.backend, 3 * PAGES, "one side of node 0 written");
	if (!wait_for(opt.timeout, all_on_node_1, &sets[0]))
		die("KSM pages cannot be moved to node 1");
	if (!wait_for(opt.timeout, joined, NULL))
		die("KSM pages that were moved stand beside their equals");
	ksm_wait_items(opt.backend, 3 * PAGES, "moved to node 1");
	check_contents("moved");
	say("merge_across_nodes=0: %d KSM pages moved to the other node went up in those there",
	    PAGES);
}

int main(int argc, char **argv)
{
	args_parse(argc, argv, NULL, "Keep NUMA nodes apart, and not: where are the frames?");
	map_all();
	merge(0, 2 * PAGES);
	check_nodes();
	if (opt.backend == &backends[BACKEND_ENGINE])
		move_lone_pages();
	ksm_clear(opt.backend);
	for (size_t i = 0; i < PAGES; i++)
		page_fill(&sets[1], i, i + 1);
	merge(1, PAGES);
	ksm_clear(opt.backend);
	say("ok: nodes are kept apart, and joined, as asked");
	return 0;
}
