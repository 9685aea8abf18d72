// SPDX-License-Identifier: GPL-2.0
/*
 * All the ways in which memory becomes mergeable: madvise, fork, prctl, exec after prctl; before
 * the engine was there, and behind its back. Whether the kernel lets a process be mergeable as a
 * whole, and whether that survives exec, the kernel is asked: the KSM under test must do likewise.
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

#include "ksm_abi.h"
#include "lib/trials.h"

#define PAGES 128

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

static bool prctl_merge(bool on)
{
	return !prctl(PR_SET_MEMORY_MERGE, on, 0, 0, 0);
}

static bool prctl_merges(void)
{
	return prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) == 1;
}

static const char no_prctl[] = "no PR_SET_MEMORY_MERGE in this kernel";

/* Runs @act in a child that must end with 0. */
static void run_child(void (*act)(void), const char *what)
{
	pid_t pid = fork_child();
	int status;

	if (!pid) {
		act();
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("%s: the child ended with status %#x", what, status);
}

/* Likewise, with nothing else merged: all that the child merged goes with it. */
static void in_child(void (*act)(void), const char *what)
{
	run_child(act, what);
	ksm_wait_items(opt.backend, 0, what);
}

/* The number behind "KEY " or "KEY: " in a /proc/self file; without key all there is. Or -1. */
static long long proc_number(const char *file, const char *key)
{
	char path[64], line[128];
	long long value = -1;
	size_t len = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!len)
			sscanf(line, "%lld", &value);
		else if (!strncmp(line, key, len))
			sscanf(line + len, "%*[: ]%lld", &value);
	}
	if (f)
		fclose(f);
	return value;
}

/* What the process is told about itself must be what is. */
static void check_proc(long long merged)
{
	long long seen = proc_number("ksm_merging_pages", "");

	if (seen != merged)
		die("ksm_merging_pages is %lld, %lld pages are merged", seen, merged);
	seen = proc_number("ksm_stat", "ksm_rmap_items");
	if (seen >= 0 && seen < merged)
		die("ksm_rmap_items in ksm_stat is %lld, %lld pages are merged", seen, merged);
	seen = proc_number("ksm_stat", "ksm_merging_pages");
	if (seen >= 0 && seen != merged)
		die("ksm_merging_pages in ksm_stat is %lld, %lld are merged", seen, merged);
	seen = proc_number("smaps_rollup", "KSM");
	if (seen >= 0 && seen != merged * (long long)page_size() / 1024)
		die("KSM in smaps_rollup is %lld KiB, %lld pages are merged", seen, merged);
}

static const char *by_madvise(void)
{
	struct sets s;

	sets_map(&s, 2, PAGES);
	ksm_full_speed(opt.backend);
	sets_merge(&s, PAGES, "madvise");
	check_proc(2 * PAGES);
	sets_unmap(&s);
	return NULL;
}

/* ---- fork ---- */

static struct sets inherited;

/* 6.1's fork hands the parent's count on: there the kernel's own KSM counts from that. */
static void check_proc_of_child(long long merged, long long parents)
{
	if (opt.backend == &backends[BACKEND_KERNEL] &&
	    proc_number("ksm_merging_pages", "") == merged + parents)
		return;
	check_proc(merged);
}

static void child_of_merged(void)
{
	sets_expect(&inherited, PAGES, "just forked");
	/* The child's mappings hang on the parent's KSM pages: they are tracked, too. */
	ksm_wait_items(opt.backend, 4 * PAGES, "child's mappings of merged pages");
	check_proc_of_child(2 * PAGES, 2 * PAGES);
	sets_write(&inherited, 0, 0, PAGES / 2);
	sets_stay(&inherited, PAGES + PAGES / 2, "child wrote");
	/* What the child fills anew with the same content is merged with its parent's. */
	for (size_t i = 0; i < PAGES / 2; i++)
		page_fill(&inherited.p[0], i, i + 1);
	sets_wait(&inherited, PAGES, "child filled its pages anew");
	ksm_wait_items(opt.backend, 4 * PAGES, "child's own pages");
	if (ksm_read(opt.backend, "pages_shared") != PAGES)
		die("parent and child have %lld KSM pages, %d contents",
		    ksm_read(opt.backend, "pages_shared"), PAGES);
}

static const char *by_fork(void)
{
	sets_map(&inherited, 2, PAGES);
	sets_merge(&inherited, PAGES, "before fork");
	run_child(child_of_merged, "fork");
	sets_stay(&inherited, PAGES, "child ended");
	ksm_wait_items(opt.backend, 2 * PAGES, "child ended");
	check_proc(2 * PAGES);
	sets_unmap(&inherited);
	return NULL;
}

/* ---- prctl: the whole process ---- */

/*
 * A whole process has pages of its own beside the sets (libc's, the stack): counters are waited for
 * by frames here, and only compared with zero.
 */
static void merge_whole(struct sets *s, const char *when)
{
	sets_map(s, 2, PAGES);
	ksm_full_speed(opt.backend);
	sets_wait(s, PAGES, when);
	if (!area_has_flag(s->p[0].mem, "mg"))
		die("%s: the area is not marked mergeable", when);
}

static void child_prctl(void)
{
	struct sets early, late;

	/* Memory that is there already, and memory that comes later. */
	sets_map(&early, 2, PAGES);
	if (!prctl_merge(true) || !prctl_merges())
		die("prctl: %s", strerror(errno));
	merge_whole(&late, "mapped after prctl");
	sets_wait(&early, PAGES, "mapped before prctl");
	/* Both have the same contents: twice two of each. */
	if (own_pfn(early.p[0].mem) != own_pfn(late.p[0].mem))
		die("memory from before and after prctl is not merged with each other");
	if (proc_number("ksm_merging_pages", "") < 4 * PAGES)
		die("ksm_merging_pages is %lld", proc_number("ksm_merging_pages", ""));

	if (!prctl_merge(false) || prctl_merges())
		die("clearing by prctl: %s", strerror(errno));
	sets_expect(&early, 2 * PAGES, "cleared");
	sets_expect(&late, 2 * PAGES, "cleared");
	sets_stay(&late, 2 * PAGES, "cleared");
	if (area_has_flag(early.p[0].mem, "mg") || area_has_flag(late.p[0].mem, "mg"))
		die("cleared, but an area is marked mergeable");
	if (proc_number("ksm_merging_pages", "") != 0)
		die("cleared, but ksm_merging_pages is %lld",
		    proc_number("ksm_merging_pages", ""));
	sets_map(&early, 2, PAGES);
	sets_stay(&early, 2 * PAGES, "mapped after clearing");
	/* And once more. */
	if (!prctl_merge(true))
		die("prctl: %s", strerror(errno));
	sets_wait(&early, PAGES, "set again");
}

/* So that a pass can be waited for while the process under test is not mergeable. */
static void keep_scanner_busy(struct sets *s)
{
	sets_map(s, 1, 8);
	for (size_t i = 0; i < 8; i++)
		page_fill(&s->p[0], i, 5000 + i);
	sets_advise(s, MADV_MERGEABLE);
}

static const char *by_prctl(void)
{
	struct sets busy;

	if (!prctl_merge(false) && errno == EINVAL)
		return no_prctl;
	keep_scanner_busy(&busy);
	in_child(child_prctl, "prctl");
	sets_unmap(&busy);
	return NULL;
}

static void grandchild_prctl(void)
{
	struct sets s;

	if (!prctl_merges())
		die("fork lost what prctl set");
	merge_whole(&s, "mapped by a child of a mergeable process");
}

static void child_prctl_fork(void)
{
	int status;
	pid_t pid;

	if (!prctl_merge(true))
		die("prctl: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		grandchild_prctl();
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("the grandchild ended with status %#x", status);
}

static const char *by_prctl_fork(void)
{
	if (!prctl_merge(false) && errno == EINVAL)
		return no_prctl;
	in_child(child_prctl_fork, "prctl and fork");
	return NULL;
}

/* ---- exec: this program again ---- */

static const char *self;

static void child_prctl_exec(void)
{
	char backend[16];

	if (!prctl_merge(true))
		die("prctl: %s", strerror(errno));
	snprintf(backend, sizeof(backend), "-b%s", opt.backend->name);
	execl("/proc/self/exe", self, backend, "--after-exec", NULL);
	die("exec: %s", strerror(errno));
}

/* What prctl says after exec is what must happen. */
static int after_exec(void)
{
	struct sets s, busy;

	keep_scanner_busy(&busy);
	if (prctl_merges()) {
		merge_whole(&s, "mapped after exec");
		say("  mergeable as a whole after exec, and merged");
	} else {
		sets_map(&s, 2, PAGES);
		ksm_full_speed(opt.backend);
		sets_stay(&s, 2 * PAGES, "exec ended what prctl set");
		say("  no longer mergeable after exec, and not merged");
	}
	return 0;
}

static const char *by_exec(void)
{
	if (!prctl_merge(false) && errno == EINVAL)
		return no_prctl;
	in_child(child_prctl_exec, "prctl and exec");
	return NULL;
}

/* ---- before the engine is there ---- */

static void child_before_load(void)
{
	struct sets marked, whole = { .nr = 0 };

	sets_map(&marked, 2, PAGES);
	sets_advise(&marked, MADV_MERGEABLE);
	if (prctl_merge(true)) {
		sets_map(&whole, 2, PAGES);
		if (!area_has_flag(whole.p[0].mem, "mg"))
			die("prctl did not mark new memory");
	}
	must_run("modprobe ksm_engine");
	ksm_full_speed(opt.backend);
	sets_wait(&marked, PAGES, "marked before the module was loaded");
	if (whole.nr)
		sets_wait(&whole, PAGES, "prctl before the module was loaded");
}

static const char *before_load(void)
{
	must_run("rmmod ksm_engine");
	in_child(child_before_load, "before load");
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "madvise", by_madvise, 0 },
		{ "fork", by_fork, 0 },
		{ "prctl", by_prctl, 0 },
		{ "prctl-fork", by_prctl_fork, 0 },
		{ "prctl-exec", by_exec, 0 },
		{ "before-load", before_load, NEEDS_ENGINE },
		{ 0 },
	};

	self = argv[0];
	if (argc > 2 && !strcmp(argv[2], "--after-exec")) {
		opt.backend = backend_find(argv[1] + 2);
		return after_exec();
	}
	return trials_main(argc, argv, trials,
			   "Make memory mergeable in every way there is, and see that it merges.");
}
