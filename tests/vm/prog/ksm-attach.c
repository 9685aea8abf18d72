// SPDX-License-Identifier: GPL-2.0
/*
 * Attaching: two processes that never asked for merging hold equal pages. What attach and detach do
 * to them is judged by frames, by every byte, and by the kernel's own word on each mapping
 * (VmFlags in smaps).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/lib.h"

/* Ids of contents: equal in both processes, different between the kinds of memory. */
enum { PLAIN, OWN, LATER, KINDS };
#define ID(kind, i) ((uint64_t)(kind) * 1000000 + (i) + 1)

enum { LEFT, RIGHT };

static size_t nr_pages = 512;
static bool hold;
static int device;

/* ---- the processes ---- */

static struct pages mine[KINDS];

static void map_kind(int kind)
{
	pages_map(&mine[kind], nr_pages, opt.seed);
	for (size_t i = 0; i < nr_pages; i++)
		page_fill(&mine[kind], i, ID(kind, i));
}

static long verify(void)
{
	long wrong = 0;

	for (int kind = 0; kind < KINDS; kind++)
		wrong += pages_wrong(&mine[kind], 0, mine[kind].nr);
	return wrong;
}

/*
 * Areas of the same kind side by side are joined when something changes them both: afterwards one
 * mapping is half the process's own mark and half attach's.
 */
static void join(struct pages *p)
{
	size_t bytes = p->nr * page_size();

	if (mprotect(p->mem, bytes, PROT_READ) || mprotect(p->mem, bytes, PROT_READ | PROT_WRITE))
		die("mprotect: %s", strerror(errno));
}

static long serve(void *ctx, int cmd, long arg)
{
	switch (cmd) {
	case 'm': /* map; OWN is marked by the process itself, and so is half of LATER with 'h' */
		map_kind((int)arg);
		if (arg == OWN)
			pages_advise(&mine[OWN], 0, nr_pages, MADV_MERGEABLE);
		return (long)mine[arg].mem;
	case 'h':
		pages_advise(&mine[arg], 0, nr_pages / 2, MADV_MERGEABLE);
		return 0;
	case 'j':
		join(&mine[arg]);
		return 0;
	case 'v':
		return verify();
	case 'e':
		execl("/proc/self/exe", "ksm-attach", "--sleep", NULL);
		return -errno;
	}
	return 0;
}

struct pair {
	struct worker w[2];
	uintptr_t addr[2][KINDS];
};

static void map_both(struct pair *p, int kind)
{
	for (int side = LEFT; side <= RIGHT; side++)
		p->addr[side][kind] = (uintptr_t)worker_call(&p->w[side], 'm', kind);
}

static void start(struct pair *p)
{
	for (int side = LEFT; side <= RIGHT; side++)
		worker_start(&p->w[side], side ? "vm-right" : "vm-left", serve, NULL);
	map_both(p, PLAIN);
	map_both(p, OWN);
}


/* ---- what there is to see ---- */

/*
 * Frames behind pages [from, to) of a kind, in both processes together; 0 when some are not
 * present, as for a moment while a huge page is split.
 */
static size_t frames(struct pair *p, int kind, size_t from, size_t to)
{
	size_t nr = to - from;
	uint64_t *entries = calloc(2 * nr, sizeof(*entries));
	struct frames seen;

	for (int side = LEFT; entries && side <= RIGHT; side++)
		if (pagemap_read(p->w[side].pid, p->addr[side][kind] + from * page_size(), nr,
				 entries + side * nr))
			die("cannot read pagemap");
	if (!entries)
		die("no memory");
	frames_count(entries, 2 * nr, &seen);
	free(entries);
	return seen.mapped == 2 * nr ? seen.distinct : 0;
}

struct merging {
	struct pair *p;
	int kind;
	size_t from;
	size_t to;
};

static bool is_merged(void *arg)
{
	struct merging *m = arg;

	return frames(m->p, m->kind, m->from, m->to) == m->to - m->from;
}

static void wait_merged(struct pair *p, int kind, size_t from, size_t to, const char *what)
{
	struct merging m = { p, kind, from, to };

	if (!wait_for(opt.timeout, is_merged, &m))
		die("%s: %zu pages in each of two processes are on %zu frames after %.0f s", what,
		    to - from, frames(p, kind, from, to), opt.timeout);
}

static bool merged_now(struct pair *p, int kind, size_t from, size_t to)
{
	struct merging m = { p, kind, from, to };

	return is_merged(&m);
}

static bool is_apart(void *arg)
{
	struct merging *m = arg;

	return frames(m->p, m->kind, m->from, m->to) == 2 * (m->to - m->from);
}

/* Not at all merged: at once, but for pages that are not present. */
static void expect_apart(struct pair *p, int kind, size_t from, size_t to, const char *what)
{
	struct merging m = { p, kind, from, to };

	if (!is_apart(&m) && (frames(p, kind, from, to) || !wait_for(opt.timeout, is_apart, &m)))
		die("%s: twice %zu pages are on %zu frames", what, to - from,
		    frames(p, kind, from, to));
}

struct marked_at {
	uintptr_t addr;
	bool marked;
};

static void look_at_marked(void *arg, uintptr_t from, uintptr_t to)
{
	struct marked_at *at = arg;

	at->marked |= from <= at->addr && at->addr < to;
}

static bool is_marked(pid_t pid, uintptr_t addr)
{
	struct marked_at at = { .addr = addr };

	each_marked(pid, look_at_marked, &at);
	return at.marked;
}

static void expect_marked(struct pair *p, int side, int kind, size_t page, bool want,
			  const char *what)
{
	if (is_marked(p->w[side].pid, p->addr[side][kind] + page * page_size()) != want)
		die("%s: page %zu is %smarked", what, page, want ? "not " : "");
}

/* One ioctl that has to give @want. */
static void must(unsigned int op, pid_t pid, int want, struct ksm_abi_attach *result,
		 const char *what)
{
	int err = attach_pid(device, op, pid, result);

	if (err != want)
		die("%s: %s instead of %s", what, strerror(-err), strerror(-want));
}

/* ---- scenes ---- */

static void attach_both(struct pair *p)
{
	struct ksm_abi_attach got;

	for (int side = LEFT; side <= RIGHT; side++) {
		must(KSM_ABI_ATTACH, p->w[side].pid, 0, &got, "attach");
		if (!got.areas || got.bytes < nr_pages * page_size())
			die("attach marked %llu areas, %llu bytes", got.areas, got.bytes);
		if (!attach_find(device, p->w[side].pid, NULL))
			die("%d is not on the list", p->w[side].pid);
	}
}

static void scene_merge(struct pair *p)
{
	struct ksm_abi_attached entry;
	struct ksm_abi_attach got;

	wait_merged(p, OWN, 0, nr_pages, "marked by themselves");
	expect_apart(p, PLAIN, 0, nr_pages, "before attach");
	expect_marked(p, LEFT, PLAIN, 0, false, "before attach");
	attach_both(p);
	expect_marked(p, LEFT, PLAIN, 0, true, "attached");
	wait_merged(p, PLAIN, 0, nr_pages, "attached");
	must(KSM_ABI_ATTACH_QUERY, p->w[LEFT].pid, 0, &got, "query");
	if (got.pages < nr_pages)
		die("query tells of %llu merged pages", got.pages);
	if (!attach_find(device, p->w[LEFT].pid, &entry) || strcmp(entry.comm, "vm-left") ||
	    entry.merged < 2 * nr_pages || entry.areas != got.areas || entry.bytes != got.bytes)
		die("the list has '%s', %llu areas, %llu merged", entry.comm, entry.areas,
		    entry.merged);
	/* A second time is no harm, and marks nothing twice. */
	must(KSM_ABI_ATTACH, p->w[LEFT].pid, 0, &got, "attach again");
	if (got.areas < entry.areas)
		die("attach again: %llu areas of %llu", got.areas, entry.areas);
	say("merged: %zu pages of each process on %zu frames", nr_pages, nr_pages);
}

static void scene_later(struct pair *p)
{
	map_both(p, LATER);
	wait_merged(p, LATER, 0, nr_pages, "mapped after attach");
	expect_marked(p, LEFT, LATER, 0, true, "mapped after attach");
	say("mapped after attach: merged, too");
}

static void scene_detach(struct pair *p)
{
	struct ksm_abi_attach got;

	must(KSM_ABI_DETACH, p->w[LEFT].pid, 0, &got, "detach");
	if (got.pages < 2 * nr_pages)
		die("detach copied %llu pages", got.pages);
	expect_apart(p, PLAIN, 0, nr_pages, "detached");
	expect_apart(p, LATER, 0, nr_pages, "detached");
	expect_marked(p, LEFT, PLAIN, 0, false, "detached");
	expect_marked(p, LEFT, LATER, 0, false, "detached");
	expect_marked(p, LEFT, OWN, 0, true, "detached, its own mark");
	expect_marked(p, RIGHT, PLAIN, 0, true, "the other process");
	if (!merged_now(p, OWN, 0, nr_pages))
		die("detach broke pages that the process had marked itself");
	if (attach_find(device, p->w[LEFT].pid, NULL))
		die("detached, but on the list");
	must(KSM_ABI_DETACH, p->w[LEFT].pid, -ENOENT, NULL, "detach again");
	ksm_wait_passes(opt.backend, 2);
	expect_apart(p, PLAIN, 0, nr_pages, "two passes after detach");
	expect_apart(p, LATER, 0, nr_pages, "two passes after detach");
	say("detached: every page its own frame, %llu copied; self-marked pages merged still",
	    got.pages);
}

/* One mapping, half of it marked by the process itself: only the other half is taken back. */
static void scene_joined(struct pair *p)
{
	size_t half = nr_pages / 2;

	for (int side = LEFT; side <= RIGHT; side++)
		worker_call(&p->w[side], 'h', LATER);
	attach_both(p);
	wait_merged(p, LATER, 0, nr_pages, "half marked, half attached");
	worker_call(&p->w[LEFT], 'j', LATER);
	wait_merged(p, LATER, 0, nr_pages, "joined");
	must(KSM_ABI_DETACH, p->w[LEFT].pid, 0, NULL, "detach joined");
	expect_marked(p, LEFT, LATER, 0, true, "joined, own half");
	expect_marked(p, LEFT, LATER, half, false, "joined, attached half");
	expect_apart(p, LATER, half, nr_pages, "joined, attached half");
	if (!merged_now(p, LATER, 0, half))
		die("detach broke the half that the process had marked itself");
	say("joined mappings: cut up again, half by half");
}

static bool has_left(void *arg)
{
	return !attach_find(device, *(pid_t *)arg, NULL);
}

static void expect_gone(pid_t pid, const char *what)
{
	if (!wait_for(opt.timeout, has_left, &pid))
		die("%s: %d is still on the list", what, pid);
}

/* What is attached is an address space: an exec leaves it behind. */
static void scene_exec(struct pair *p)
{
	pid_t pid = p->w[RIGHT].pid;

	if (!attach_find(device, pid, NULL))
		die("the right process is not attached");
	worker_send(&p->w[RIGHT], 'e', 0);
	expect_gone(pid, "exec");
	must(KSM_ABI_DETACH, pid, -ENOENT, NULL, "detach after exec");
	must(KSM_ABI_ATTACH, pid, 0, NULL, "attach after exec");
	worker_kill(&p->w[RIGHT]);
	expect_gone(pid, "killed");
	say("exec and exit: off the list");
}

/* ---- main ---- */

static const struct argp_option options[] = {
	{ "pages", 'n', "N", 0, "pages of each kind (default: 512)", 0 },
	{ "hold", 'h', NULL, 0,
	  "only hold the pages, unmarked, until killed; they are equal in all who do so", 0 },
	{ "sleep", 's', NULL, OPTION_HIDDEN, "sleep for ever", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'n':
		nr_pages = arg_number(state, "--pages", arg, 16, 1 << 16);
		return 0;
	case 'h':
		hold = true;
		return 0;
	case 's':
		for (;;)
			pause();
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Attach processes that did not ask for merging, and detach them.",
};

int main(int argc, char **argv)
{
	struct pair p = { 0 };

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (hold)
		map_kind(PLAIN);
	while (hold)
		pause();
	device = attach_device();
	ksm_full_speed(opt.backend);
	start(&p);
	scene_merge(&p);
	scene_later(&p);
	scene_detach(&p);
	scene_joined(&p);
	if (worker_call(&p.w[RIGHT], 'v', 0))
		die("memory changed");
	scene_exec(&p);
	if (worker_call(&p.w[LEFT], 'v', 0))
		die("memory changed");
	worker_stop(&p.w[LEFT]);
	ksm_clear(opt.backend);
	say("ok: attach and detach with the %s backend", opt.backend->name);
	return 0;
}
