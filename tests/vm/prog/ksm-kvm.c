// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of virtual machines: the kernel maps it a second time, into the guest, and the guest
 * must see at once what merging, writing, unmerging, swap and migration make of it. Two machines
 * and a plain range of memory hold the same pages; each is judged by what its guest reads, what the
 * process reads, and by frames.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/machine.h"
#include "lib/trials.h"

#define PAGES 96
#define COUNTER 17 /* the word that guests count in; less than 2^32 */
#define MACHINES 2
#define BURST 4 /* pages that a guest writes at a time */

/**
 * struct bench - what a trial works on
 * @s: the memory of both machines, and as much that belongs to none
 * @m: the machines
 */
struct bench {
	struct sets s;
	struct machine m[MACHINES];
};

/* The same counter in the same page of each range. */
static void put_counters(struct sets *s)
{
	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 0; i < PAGES; i++) {
			s->p[k].want[i].word = COUNTER;
			s->p[k].want[i].value = 1000 * i;
			((uint64_t *)page_at(&s->p[k], i))[COUNTER] = 1000 * i;
		}
	}
}

static void count_in(struct bench *b, int machine, size_t from, size_t to)
{
	machine_count(&b->m[machine], from, to, COUNTER);
}

/* What guests and process read is what was written. */
static void verify(struct bench *b, const char *when)
{
	for (int k = 0; k < MACHINES; k++) {
		long wrong = machine_wrong(&b->m[k], 0, PAGES);

		if (wrong)
			die("%s: %ld pages of machine %d are wrong in its guest", when, wrong, k);
	}
	sets_verify(&b->s, when);
}

static void expect(struct bench *b, size_t frames, const char *when)
{
	verify(b, when);
	/* Reading in the guest unmerges nothing. */
	sets_expect(&b->s, frames, when);
}

/* Both machines have all pages mapped, for writing: only then is there something to take back. */
static const char *set_up(struct bench *b)
{
	sets_map(&b->s, MACHINES + 1, PAGES);
	put_counters(&b->s);
	for (int k = 0; k < MACHINES; k++) {
		const char *lacks = machine_open(&b->m[k], &b->s.p[k]);

		if (lacks) {
			sets_unmap(&b->s);
			return lacks;
		}
		count_in(b, k, 0, PAGES);
	}
	for (size_t i = 0; i < PAGES; i++) {
		((uint64_t *)page_at(&b->s.p[MACHINES], i))[COUNTER]++;
		b->s.p[MACHINES].want[i].value++;
	}
	expect(b, (MACHINES + 1) * PAGES, "before merging");
	return NULL;
}

static const char *set_up_merged(struct bench *b)
{
	const char *lacks = set_up(b);

	if (lacks)
		return lacks;
	sets_merge(&b->s, PAGES, "merged");
	expect(b, PAGES, "merged");
	return NULL;
}

static void clean_up(struct bench *b)
{
	for (int k = 0; k < MACHINES; k++)
		machine_close(&b->m[k]);
	sets_unmap(&b->s);
}

/* Writes of the guest, of the process behind its back, and of the other guest. */
static const char *written(void)
{
	const size_t half = PAGES / 2;
	struct bench b;
	const char *lacks = set_up_merged(&b);

	if (lacks)
		return lacks;
	count_in(&b, 0, 0, half);
	expect(&b, PAGES + half, "a guest wrote to half of it");
	sets_write(&b.s, 0, half, PAGES);
	expect(&b, 2 * PAGES, "the process wrote to the other half");
	sets_write(&b.s, 0, 0, half);
	expect(&b, 2 * PAGES, "the process wrote where the guest had written");
	count_in(&b, 1, 0, PAGES);
	expect(&b, 3 * PAGES, "the other guest wrote, too");
	sets_stay(&b.s, 3 * PAGES, "all written");
	verify(&b, "all written");
	clean_up(&b);
	return NULL;
}

static const char *unmerged(void)
{
	struct bench b;
	const char *lacks = set_up_merged(&b);

	if (lacks)
		return lacks;
	pages_advise(&b.s.p[0], 0, PAGES, MADV_UNMERGEABLE);
	expect(&b, 2 * PAGES, "MADV_UNMERGEABLE");
	count_in(&b, 0, 0, PAGES);
	expect(&b, 2 * PAGES, "written in the unmerged guest");
	ksm_clear(opt.backend);
	expect(&b, 3 * PAGES, "run=2");
	count_in(&b, 1, 0, PAGES);
	expect(&b, 3 * PAGES, "written after run=2");
	clean_up(&b);
	return NULL;
}

/* All was written twice, something was merged meanwhile, and the scanner came by often. */
static bool seen_enough(size_t rounds, size_t least, long long until)
{
	return rounds * BURST > 2 * PAGES && least < (MACHINES + 1) * PAGES &&
	       ksm_read(opt.backend, "full_scans") >= until;
}

/* Both guests write the same all the time, the scanner merges it all the time: no count is lost. */
static const char *while_scanned(void)
{
	size_t least = SIZE_MAX, rounds = 0;
	double end = now_seconds() + opt.timeout;
	long long until;
	struct bench b;
	const char *lacks = set_up_merged(&b);

	if (lacks)
		return lacks;
	until = ksm_read(opt.backend, "full_scans") + 40;
	while (!seen_enough(rounds, least, until)) {
		size_t from = rounds++ * BURST % PAGES;

		for (int k = 0; k < MACHINES; k++)
			count_in(&b, k, from, from + BURST);
		sets_look(&b.s);
		if (rounds * BURST > PAGES && b.s.last.distinct < least)
			least = b.s.last.distinct;
		if (now_seconds() > end)
			die("%zu bursts, never less than %zu frames", rounds, least);
	}
	verify(&b, "written while scanned");
	sets_wait(&b.s, 2 * PAGES, "the guests rest");
	verify(&b, "the guests rest");
	say("  %zu bursts of writes, at least %zu frames meanwhile", rounds, least);
	clean_up(&b);
	return NULL;
}

static char cgroup[128];

static bool swapped(void *arg)
{
	return sets_reclaim(arg, cgroup, PAGES);
}

static void swap_out(struct bench *b)
{
	if (!wait_for(opt.timeout, swapped, &b->s))
		die("only %zu of %d pages go to swap", b->s.last.swapped, b->s.nr * PAGES);
}

static const char *swapped_out(void)
{
	struct bench b;
	const char *lacks;

	cgroup_make(cgroup, "ksm-kvm");
	cgroup_join(cgroup);
	lacks = set_up_merged(&b);
	if (!lacks) {
		swap_out(&b);
		verify(&b, "read back from swap");
		sets_wait(&b.s, PAGES, "merged again after swap");
		swap_out(&b);
		count_in(&b, 0, 0, PAGES);
		verify(&b, "written while in swap");
		clean_up(&b);
	}
	cgroup_remove(cgroup);
	return lacks;
}

static const char *migrated(void)
{
	struct bench b;
	const char *lacks;

	if (!two_nodes())
		die("this needs two NUMA nodes");
	lacks = set_up_merged(&b);
	if (lacks)
		return lacks;
	for (int node = 1; node >= 0; node--) {
		for (int k = 0; k <= MACHINES; k++)
			move_to_node(getpid(), (uintptr_t)b.s.p[k].mem, PAGES, node);
		expect(&b, PAGES, "migrated");
	}
	count_in(&b, 0, 0, PAGES);
	expect(&b, 2 * PAGES, "written after migration");
	clean_up(&b);
	return NULL;
}

static const char *unloaded(void)
{
	struct bench b;
	const char *lacks = set_up_merged(&b);

	if (lacks)
		return lacks;
	must_run("rmmod ksm_engine");
	expect(&b, 3 * PAGES, "unloaded");
	count_in(&b, 0, 0, PAGES);
	expect(&b, 3 * PAGES, "written after unloading");
	must_run("modprobe ksm_engine");
	ksm_full_speed(opt.backend);
	sets_wait(&b.s, 2 * PAGES, "loaded again");
	verify(&b, "loaded again");
	clean_up(&b);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "written", written, 0 },
		{ "unmerged", unmerged, 0 },
		{ "while-scanned", while_scanned, 0 },
		{ "swapped", swapped_out, 0 },
		{ "migrated", migrated, 0 },
		{ "unload", unloaded, NEEDS_ENGINE },
		{ 0 },
	};

	return trials_main(argc, argv, trials, "Merge the memory of virtual machines that run.");
}
