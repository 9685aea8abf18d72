// SPDX-License-Identifier: GPL-2.0
/*
 * The life of address spaces under a scanner at full speed: storms of forks, execs, mappings that
 * move, shrink, vanish and change their protection. Each process checks every byte of its own; in
 * the end those who never wrote share what they shared before, and nothing else counts as merged.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/trials.h"

#define PAGES 128

/* Of each kind of storm. */
static int rounds(void)
{
	return env_number("STORM_ROUNDS", 24);
}

static void merged_pair(struct sets *s)
{
	sets_map(s, 2, PAGES);
	sets_merge(s, PAGES, "merged");
}

/* The parent's memory is as it was, and the children's is not counted any more. */
static void end_unharmed(struct sets *s, const char *when)
{
	sets_stay(s, PAGES, when);
	ksm_wait_items(opt.backend, 2 * PAGES, when);
	sets_unmap(s);
}

/* Every child must end with 0, or by the signal that it was sent. */
static void reap(pid_t pid, bool killed)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid: %s", strerror(errno));
	if (killed ? !WIFSIGNALED(status) && status : status)
		die("a child ended with status %#x", status);
}

/* ---- forks ---- */

#define CHILDREN 6

/* A child and its own children write to what they all inherited. */
static void descend(struct sets *s, uint64_t rnd, int depth)
{
	pid_t child = 0;

	if (depth) {
		child = fork_child();
		if (!child) {
			descend(s, rnd ^ 0x5555, depth - 1);
			exit(0);
		}
	}
	for (int n = 0; n < PAGES; n++)
		page_patch(&s->p[next_random(&rnd) % 2], next_random(&rnd) % PAGES, &rnd);
	sets_verify(s, "in a child");
	if (child)
		reap(child, false);
}

static const char *fork_storm(void)
{
	struct sets s;
	uint64_t rnd = opt.seed;

	merged_pair(&s);
	for (int round = 0; round < rounds() / 2; round++) {
		pid_t pids[CHILDREN];

		for (int i = 0; i < CHILDREN; i++) {
			uint64_t child_rnd = next_random(&rnd);

			pids[i] = fork_child();
			if (!pids[i]) {
				descend(&s, child_rnd, i % 3);
				exit(0);
			}
		}
		for (int i = 0; i < CHILDREN; i += 2)
			kill(pids[i], SIGKILL);
		for (int i = 0; i < CHILDREN; i++)
			reap(pids[i], i % 2 == 0);
		sets_expect(&s, PAGES, "children came and went");
	}
	end_unharmed(&s, "after the storm of forks");
	return NULL;
}

/* ---- execs ---- */

/* In the child: memory like the parent's, at some stage of being merged when exec drops it. */
static void exec_amid(uint64_t rnd)
{
	struct sets own;

	sets_map(&own, 2, PAGES);
	sets_advise(&own, MADV_MERGEABLE);
	usleep(next_random(&rnd) % 30000);
	sets_verify(&own, "before exec");
	execl("/bin/true", "true", NULL);
	die("exec: %s", strerror(errno));
}

static const char *execs(void)
{
	struct sets s;
	uint64_t rnd = opt.seed;

	merged_pair(&s);
	for (int round = 0; round < rounds(); round++) {
		pid_t pids[3];

		for (int i = 0; i < 3; i++) {
			uint64_t child_rnd = next_random(&rnd);

			pids[i] = fork_child();
			if (!pids[i])
				exec_amid(child_rnd);
		}
		for (int i = 0; i < 3; i++)
			reap(pids[i], false);
	}
	end_unharmed(&s, "after the execs");
	return NULL;
}

/* ---- mappings ---- */

static const char *moved(void)
{
	struct sets s;
	size_t bytes = PAGES * page_size();

	merged_pair(&s);
	for (int round = 0; round < rounds(); round++) {
		struct pages *p = &s.p[round % 2];
		/* In two halves every other time: what was one area is two, then one again. */
		size_t part = round % 4 < 2 ? bytes : bytes / 2;
		unsigned char *to =
			mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (to == MAP_FAILED)
			die("mmap: %s", strerror(errno));
		for (size_t at = 0; at < bytes; at += part) {
			if (mremap(p->mem + at, part, part, MREMAP_MAYMOVE | MREMAP_FIXED,
				   to + at) == MAP_FAILED)
				die("mremap: %s", strerror(errno));
		}
		p->mem = to;
		sets_verify(&s, "moved");
	}
	sets_wait(&s, PAGES, "all that was moved");
	end_unharmed(&s, "moved no more");
	return NULL;
}

/* A quarter goes and comes back with other contents, which the twin gets, too. */
static const char *unmapped(void)
{
	uint64_t rnd = opt.seed;
	struct sets s;

	merged_pair(&s);
	for (int round = 0; round < rounds(); round++) {
		size_t from = next_random(&rnd) % (PAGES * 3 / 4), bytes = PAGES / 4 * page_size();

		for (int k = 0; k < 2; k++) {
			void *at = page_at(&s.p[k], from);

			if (munmap(at, bytes) ||
			    mmap(at, bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
				die("munmap and mmap: %s", strerror(errno));
			pages_advise(&s.p[k], from, from + PAGES / 4, MADV_NOHUGEPAGE);
			pages_advise(&s.p[k], from, from + PAGES / 4, MADV_MERGEABLE);
			for (size_t i = from; i < from + PAGES / 4; i++)
				page_fill(&s.p[k], i, 1000 * (round + 1) + i);
		}
		sets_verify(&s, "unmapped and mapped again");
	}
	sets_wait(&s, PAGES, "all that was mapped again");
	end_unharmed(&s, "unmapped no more");
	return NULL;
}

static const char *protected(void)
{
	static const int prots[] = { PROT_READ, PROT_NONE, PROT_READ | PROT_WRITE };
	uint64_t rnd = opt.seed;
	struct sets s;

	merged_pair(&s);
	for (int round = 0; round < rounds() * 2; round++) {
		size_t from = next_random(&rnd) % (PAGES / 2);
		struct pages *p = &s.p[round % 2];

		for (size_t i = 0; i < sizeof(prots) / sizeof(prots[0]); i++) {
			if (mprotect(page_at(p, from), PAGES / 2 * page_size(), prots[i]))
				die("mprotect: %s", strerror(errno));
		}
		/* The same word with the same value on both sides, sooner or later. */
		p->want[from].word = 0;
		p->want[from].value = from;
		*(volatile uint64_t *)page_at(p, from) = from;
		sets_verify(&s, "protected and written");
	}
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < PAGES; i++)
			page_fill(&s.p[k], i, i + 1);
	sets_wait(&s, PAGES, "all that was protected");
	end_unharmed(&s, "protected no more");
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "fork", fork_storm, 0 },
		{ "exec", execs, 0 },
		{ "mremap", moved, 0 },
		{ "munmap", unmapped, 0 },
		{ "mprotect", protected, 0 },
		{ 0 },
	};

	return trials_main(argc, argv, trials,
			   "Fork, exec, move, unmap and protect memory under a scanner.");
}
