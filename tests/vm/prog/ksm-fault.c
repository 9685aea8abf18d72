// SPDX-License-Identifier: GPL-2.0
/*
 * No memory: every allocation of merging, registering, unmerging, attaching and unloading fails
 * once, one after the other (/proc/PID/fail-nth counts slab objects and pages alike), and in some
 * trials all of them fail. After each: contents right, counters what the frames say, and the same
 * attempt with memory succeeds. Objects that leak, kmemleak finds as the guest ends; pages that
 * nobody maps any more, expect_none_lost() finds. Loading is left out: the kernel itself warns when
 * there is no memory for a module's trace events.
 */
#include <errno.h>
#include <fcntl.h>
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

#define PAGES 16
#define DEBUGFS "/sys/kernel/debug/"

/* ---- making allocations fail ---- */

/* Every which allocation is tried; all with 1. */
static unsigned int stride(void)
{
	return env_number("FAULT_EVERY", 1);
}

static void set_both(const char *file, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), DEBUGFS "failslab/%s", file);
	must_write_file(path, text);
	snprintf(path, sizeof(path), DEBUGFS "fail_page_alloc/%s", file);
	must_write_file(path, text);
}

/* Also allocations that could wait for reclaim, and those of a process's own pages. */
static void prepare_faults(void)
{
	static bool done;

	if (done)
		return;
	set_both("ignore-gfp-wait", "N");
	must_write_file(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N");
	must_write_file(DEBUGFS "fail_page_alloc/min-order", "0");
	set_both("verbose", "0");
	set_both("task-filter", "Y");
	set_both("probability", "0");
	set_both("times", "-1");
	done = true;
}

/* Opened before anything is to fail: opening takes memory. */
static int fail_file(pid_t pid)
{
	static int fd = -1;
	static pid_t owner;
	char path[48];

	if (owner == pid)
		return fd;
	prepare_faults();
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	owner = pid;
	return fd;
}

/* The @n'th allocation of a task fails from here on; 0: none. */
static void fail_nth(pid_t pid, unsigned int n)
{
	char text[16];
	int fd = fail_file(pid), len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fd, text, len, 0) != len)
		die("fail-nth of %d: %s", pid, strerror(errno));
}

/* Take the order back. Returns whether it was carried out. */
static bool has_failed(pid_t pid)
{
	char text[16] = "";

	if (pread(fail_file(pid), text, sizeof(text) - 1, 0) <= 0)
		die("fail-nth of %d: %s", pid, strerror(errno));
	fail_nth(pid, 0);
	return !atoi(text);
}

/* All allocations of a task fail, or none. */
static void fail_all(pid_t pid, bool on)
{
	char path[48];

	prepare_faults();
	snprintf(path, sizeof(path), "/proc/%d/make-it-fail", pid);
	must_write_file(path, on ? "1" : "0");
	set_both("probability", on ? "100" : "0");
}

static pid_t scanner(void)
{
	return thread_find(KSM_ABI_ENGINE_THREAD);
}

static void say_count(const char *what, unsigned int n)
{
	say("  %s: %u allocations failed, one by one", what, (n - 1) / stride());
}

/* ---- the trials ---- */

static const char *merge(void)
{
	unsigned int n = 1;
	bool failed = true;
	struct sets s;

	if (ksm_write(opt.backend, "max_page_sharing", 2))
		die("max_page_sharing cannot be set");
	ksm_full_speed(opt.backend);
	for (; failed; n += stride()) {
		fail_nth(scanner(), n);
		/* Two frames a content, which hang on a chain. */
		sets_map(&s, 4, PAGES);
		sets_merge(&s, 2 * PAGES, "merging while an allocation fails");
		failed = has_failed(scanner());
		expect_items(4 * PAGES, "merged while an allocation failed");
		if (ksm_read(opt.backend, "stable_node_chains") != PAGES ||
		    ksm_read(opt.backend, "stable_node_dups") != 2 * PAGES)
			die("after failure of allocation %u: %lld chains, %lld dups", n,
			    ksm_read(opt.backend, "stable_node_chains"),
			    ksm_read(opt.backend, "stable_node_dups"));
		sets_unmap(&s);
	}
	say_count("merge", n - stride());
	expect_none_lost("unmapped");
	ksm_clear(opt.backend);
	return ksm_write(opt.backend, "max_page_sharing", 256) ? "max_page_sharing stays" : NULL;
}

static const char *merge_none(void)
{
	struct sets s;

	/* Nothing may be in reserve. */
	ksm_clear(opt.backend);
	fail_all(scanner(), true);
	sets_map(&s, 4, 4 * PAGES);
	sets_advise(&s, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	ksm_wait_passes(opt.backend, 4);
	sets_verify(&s, "without memory");
	sets_look(&s);
	say("  without memory: %zu pages on %zu frames", s.last.mapped, s.last.distinct);
	if (s.last.distinct <= 4 * PAGES)
		die("all was merged: no allocation failed");
	fail_all(scanner(), false);
	sets_wait(&s, 4 * PAGES, "memory is back");
	expect_items(16 * PAGES, "memory is back");
	sets_unmap(&s);
	expect_none_lost("unmapped");
	return NULL;
}

#define HUGE 512 /* small pages of a huge one */

/* A huge page, and as many small pages equal to its first ones as are needed to split it. */
static void map_huge(struct sets *s)
{
	memset(s, 0, sizeof(*s));
	s->nr = 2;
	pages_map_aligned(&s->p[0], HUGE, HUGE, opt.seed);
	pages_advise(&s->p[0], 0, HUGE, MADV_HUGEPAGE);
	pages_map(&s->p[1], PAGES, opt.seed);
	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 0; i < s->p[k].nr; i++)
			page_fill(&s->p[k], i, i + 1);
	}
	if (compound_pages(page_at(&s->p[0], 0)) != HUGE)
		die("no huge page can be had");
	sets_advise(s, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
}

static void split_and_merged(struct sets *s, const char *when)
{
	sets_wait(s, HUGE, when);
	expect_items(2 * PAGES, when);
	if (compound_pages(page_at(&s->p[0], 0)))
		die("%s: merged and not split", when);
	sets_unmap(s);
	expect_none_lost(when);
}

/* Most of its allocations are the items of all those pages: of these every 32nd. */
static const char *split(void)
{
	unsigned int n = 1, count = 0;
	bool failed = true;
	struct sets s;

	for (; failed; n += (n < 32 ? 1 : 32) * stride(), count += failed) {
		fail_nth(scanner(), n);
		map_huge(&s);
		split_and_merged(&s, "a huge page, while an allocation fails");
		failed = has_failed(scanner());
	}
	say("  split: %u allocations failed, one by one", count);
	return NULL;
}

static const char *split_none(void)
{
	struct sets s;

	/* So that the process is known: without any, there are no passes. */
	map_huge(&s);
	split_and_merged(&s, "a huge page with memory");
	ksm_clear(opt.backend);
	fail_all(scanner(), true);
	map_huge(&s);
	ksm_wait_passes(opt.backend, 4);
	sets_verify(&s, "a huge page without memory");
	sets_look(&s);
	say("  without memory: %zu pages on %zu frames", s.last.mapped, s.last.distinct);
	fail_all(scanner(), false);
	split_and_merged(&s, "memory for a huge page is back");
	return NULL;
}

static pid_t fork_sleeper(void)
{
	pid_t pid = fork_child();

	if (pid)
		return pid;
	for (;;)
		pause();
}

static void end_sleeper(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A fork is registered and its share of KSM pages tracked. */
static const char *registering(void)
{
	unsigned int n = 1;
	bool failed = true;
	struct sets s;

	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merging");
	for (; failed; n += stride()) {
		pid_t child;

		fail_nth(scanner(), n);
		child = fork_sleeper();
		ksm_wait_items(opt.backend, 4 * PAGES, "fork while an allocation fails");
		failed = has_failed(scanner());
		end_sleeper(child);
		ksm_wait_items(opt.backend, 2 * PAGES, "the fork has ended");
	}
	say_count("register", n - stride());
	sets_verify(&s, "registering");
	sets_unmap(&s);
	return NULL;
}

/* One run=2 with the @n'th allocation failing. Returns 0 or -errno; @failed: whether one did. */
static int unmerge_failing(unsigned int n, bool *failed)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "%s/run", opt.backend->dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	fail_nth(getpid(), n);
	err = write(fd, "2", 1) == 1 ? 0 : -errno;
	*failed = has_failed(getpid());
	close(fd);
	return err;
}

static void expect_consistent_failure(struct sets *s, unsigned int n, int err)
{
	if (err != -ENOMEM)
		die("run=2, allocation %u fails: %s", n, strerror(-err));
	sets_verify(s, "run=2 failed");
	/* The kernel's part of a write needs memory, too: then nothing has changed. */
	if (ksm_read(opt.backend, "run") == KSM_RUN_MERGE) {
		expect_items(2 * PAGES, "the write to run failed");
		return;
	}
	if (ksm_read(opt.backend, "run"))
		die("run=2 failed, and run reads %lld", ksm_read(opt.backend, "run"));
	/* Items of what was unmerged may count until a pass meets them, none may be missing. */
	if (ksm_items(opt.backend) < sets_on_ksm(s))
		die("run=2 failed: %lld pages are KSM pages, pages_shared + pages_sharing is %lld",
		    sets_on_ksm(s), ksm_items(opt.backend));
}

static const char *unmerge(void)
{
	unsigned int n = 1, refused = 0;
	bool failed = true;
	struct sets s;

	sets_map(&s, 2, PAGES);
	for (; failed; n += stride()) {
		int err;

		sets_merge(&s, PAGES, "merging");
		err = unmerge_failing(n, &failed);
		if (err) {
			refused++;
			expect_consistent_failure(&s, n, err);
			/* It can go on from here, too. */
			ksm_full_speed(opt.backend);
			sets_wait(&s, PAGES, "run=1 after run=2 failed");
			expect_items(2 * PAGES, "run=1 after run=2 failed");
		}
		ksm_clear(opt.backend);
		sets_expect(&s, 2 * PAGES, "run=2 with memory");
		expect_items(0, "run=2 with memory");
		expect_none_lost("run=2 with memory");
	}
	say_count("unmerge", n - stride());
	if (!refused)
		die("run=2 never failed: nothing was proven");
	sets_unmap(&s);
	return NULL;
}

static const char *unmergeable(void)
{
	unsigned int n = 1, refused = 0;
	bool failed = true;
	struct sets s;

	sets_map(&s, 2, PAGES);
	for (; failed; n += stride()) {
		sets_merge(&s, PAGES, "merging");
		fail_nth(getpid(), n);
		if (madvise(s.p[0].mem, PAGES * page_size(), MADV_UNMERGEABLE)) {
			if (errno != ENOMEM && errno != EAGAIN)
				die("MADV_UNMERGEABLE, allocation %u fails: %s", n,
				    strerror(errno));
			refused++;
		}
		failed = has_failed(getpid());
		sets_verify(&s, "MADV_UNMERGEABLE while an allocation fails");
	}
	say_count("madvise", n - stride());
	if (!refused)
		die("MADV_UNMERGEABLE never failed: nothing was proven");
	sets_unmap(&s);
	return NULL;
}

/* ---- attach ---- */

static bool marked_any;

static void note_marked(void *arg, uintptr_t from, uintptr_t to)
{
	marked_any = true;
}

static bool has_marks(pid_t pid)
{
	marked_any = false;
	each_marked(pid, note_marked, NULL);
	return marked_any;
}

/* One operation with every allocation failing once; it must change nothing when it fails. */
static void attach_failing(int device, unsigned int op, pid_t pid, const char *name)
{
	bool failed = true, attached = op == KSM_ABI_DETACH;
	unsigned int n = 1;

	for (; failed; n += stride()) {
		int err;

		fail_nth(getpid(), n);
		err = attach_pid(device, op, pid, NULL);
		failed = has_failed(getpid());
		if (err && err != -ENOMEM && err != -EMFILE && err != -ENFILE)
			die("%s, allocation %u fails: %s", name, n, strerror(-err));
		if (!err && failed && attach_pid(device, attached ? KSM_ABI_ATTACH : KSM_ABI_DETACH,
						 pid, NULL))
			die("%s succeeded, and its reverse does not", name);
		if (err && attach_find(device, pid, NULL) != attached)
			die("%s failed, and the process is %sattached", name,
			    attached ? "not " : "");
		if (err && !attached && has_marks(pid))
			die("%s failed, and areas stay marked", name);
	}
	say_count(name, n - stride());
}

static const char *attach(void)
{
	int device = attach_device();
	struct pages p;
	pid_t child;

	pages_map(&p, PAGES, opt.seed);
	for (size_t i = 0; i < PAGES; i++)
		page_fill(&p, i, 1);
	child = fork_sleeper();
	attach_failing(device, KSM_ABI_ATTACH, child, "attach");
	attach_failing(device, KSM_ABI_DETACH, child, "detach");
	if (has_marks(child) || attach_find(device, child, NULL))
		die("detach leaves something attached");
	end_sleeper(child);
	close(device);
	pages_unmap(&p);
	return NULL;
}

/* ---- the module ---- */

static void must_unload(void)
{
	int err = module_unload();

	if (err)
		die("rmmod: %s", strerror(-err));
}

/* Loaded again, it unshares what it meets, then merges it: none of these pages is an orphan. */
static void expect_reload(struct sets *s)
{
	load_and_merge(s, PAGES, "loaded again");
	ksm_clear(opt.backend);
	sets_expect(s, 2 * PAGES, "run=2 after loading again");
	expect_none_lost("run=2 after loading again");
}

static const char *unload(void)
{
	unsigned int n = 1, orphans = 0;
	bool failed = true;
	struct sets s;

	sets_map(&s, 2, PAGES);
	for (; failed; n += stride()) {
		sets_merge(&s, PAGES, "merging");
		fail_nth(getpid(), n);
		must_unload();
		failed = has_failed(getpid());
		sets_verify(&s, "unloaded");
		orphans += sets_on_ksm(&s);
		expect_reload(&s);
	}
	say_count("unload", n - stride());
	say("  %u pages were left as KSM pages without a node", orphans);
	if (!orphans)
		die("unloading never lacked memory: nothing was proven");
	sets_unmap(&s);
	return NULL;
}

/* In a child: who has no memory at all could not even say so. */
static void unload_without_memory(void)
{
	pid_t pid = fork_child();
	int status;

	if (!pid) {
		raise(SIGSTOP);
		_exit(-module_unload());
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		die("a child does not wait");
	fail_all(pid, true);
	kill(pid, SIGCONT);
	if (waitpid(pid, &status, 0) != pid || status)
		die("unloading without memory: status %#x", status);
	set_both("probability", "0");
}

static const char *unload_none(void)
{
	struct sets s;

	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merging");
	unload_without_memory();
	if (sets_on_ksm(&s) != 2 * PAGES)
		die("unloaded without memory: %lld of %d pages are KSM pages still",
		    sets_on_ksm(&s), 2 * PAGES);
	sets_expect(&s, PAGES, "unloaded without memory");
	sets_write(&s, 0, 0, PAGES / 2);
	sets_verify(&s, "written after unloading without memory");
	for (size_t i = 0; i < PAGES / 2; i++)
		page_fill(&s.p[0], i, i + 1);
	expect_reload(&s);
	sets_unmap(&s);
	return NULL;
}

static const struct trial trials[] = {
	{ "merge", merge, NEEDS_ENGINE },
	{ "merge-none", merge_none, NEEDS_ENGINE },
	{ "split", split, NEEDS_ENGINE },
	{ "split-none", split_none, NEEDS_ENGINE },
	{ "register", registering, NEEDS_ENGINE },
	{ "unmerge", unmerge, NEEDS_ENGINE },
	{ "unmergeable", unmergeable, NEEDS_ENGINE },
	{ "attach", attach, NEEDS_ENGINE },
	{ "unload", unload, NEEDS_ENGINE },
	{ "unload-none", unload_none, NEEDS_ENGINE },
	{ 0 },
};

int main(int argc, char **argv)
{
	return trials_main(argc, argv, trials,
			   "Let allocations fail, one by one, in all that the engine does. Every "
			   "FAULT_EVERY'th of them (environment; default: 1).");
}
