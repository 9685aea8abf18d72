// SPDX-License-Identifier: GPL-2.0
/*
 * The engine's life, where it is cut short or stopped: an unload that is killed leaves orphans,
 * which the next load must take care of; all tasks are frozen as for a suspend; CPUs come and go.
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

#define PAGES 512
#define TRIES 60

static bool files_gone(void *arg)
{
	return ksm_try_read(opt.backend, "run") == -ENOENT;
}

static bool module_gone(void *arg)
{
	return access(KSM_ABI_MODULE_DIR, F_OK) != 0;
}

/* rmmod is killed as soon as its files have gone: pages are being unshared then. */
static void unload_killed(void)
{
	pid_t pid = fork_child();

	if (!pid) {
		_exit(module_unload() ? 1 : 0);
	}
	while (!files_gone(NULL) && kill(pid, 0) == 0)
		;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (!wait_for(opt.timeout, module_gone, NULL))
		die("rmmod was killed, and the module is there still");
}

static const char *orphans(void)
{
	long long left = 0;
	struct sets s;
	int tries;

	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merging");
	for (tries = 1; tries <= TRIES && !left; tries++) {
		unload_killed();
		sets_verify(&s, "unloaded");
		left = sets_on_ksm(&s);
		if (!left)
			load_and_merge(&s, PAGES, "loaded again, no orphans");
	}
	if (!left)
		die("rmmod was killed %d times and never left an orphan: nothing was proven",
		    TRIES);
	say("  %lld orphans of %d pages, at the %d. try", left, 2 * PAGES, tries - 1);
	sets_write(&s, 0, 0, PAGES / 8);
	sets_verify(&s, "orphans written to");
	for (size_t i = 0; i < PAGES / 8; i++)
		page_fill(&s.p[0], i, i + 1);
	/* Each is unshared and merged anew: as an orphan it would count nowhere. */
	load_and_merge(&s, PAGES, "loaded again over orphans");
	ksm_clear(opt.backend);
	sets_expect(&s, 2 * PAGES, "run=2 after orphans");
	expect_none_lost("run=2 after orphans");
	sets_unmap(&s);
	return NULL;
}

/* Somebody who gives the scanner something to do all the time. */
static pid_t start_writer(void)
{
	pid_t pid = fork_child();
	uint64_t rnd = opt.seed;
	struct pages p;

	if (pid)
		return pid;
	pages_map(&p, PAGES, opt.seed);
	pages_advise(&p, 0, PAGES, MADV_MERGEABLE);
	for (size_t i = 0;; i++) {
		page_fill(&p, i % PAGES, i % 7);
		page_patch(&p, next_random(&rnd) % PAGES, &rnd);
		if (i % PAGES == 0 && pages_wrong(&p, 0, PAGES))
			_exit(1);
	}
}

static void end_writer(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		die("a process saw wrong content (status %#x)", status);
}

static void freeze_once(const char *when)
{
	int err = write_file("/sys/power/state", "freeze");

	if (err)
		die("%s: tasks do not freeze: %s", when, strerror(-err));
}

/* As for a suspend, but nothing is suspended: after five seconds all go on. */
static const char *freezer(void)
{
	struct sets s;
	pid_t writer;

	if (write_file("/sys/power/pm_test", "freezer"))
		return "no /sys/power/pm_test";
	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merging");
	writer = start_writer();
	freeze_once("at full speed");
	ksm_wait_passes(opt.backend, 2);
	sets_expect(&s, PAGES, "thawed");
	ksm_write(opt.backend, "sleep_millisecs", 100000);
	freeze_once("between two batches");
	ksm_full_speed(opt.backend);
	ksm_wait_passes(opt.backend, 2);
	ksm_clear(opt.backend);
	freeze_once("stopped");
	sets_expect(&s, 2 * PAGES, "thawed after run=2");
	ksm_full_speed(opt.backend);
	sets_wait(&s, PAGES, "merging after the freeze");
	end_writer(writer);
	write_file("/sys/power/pm_test", "none");
	sets_unmap(&s);
	return NULL;
}

static const char *cpus(void)
{
	const char *file = "/sys/devices/system/cpu/cpu1/online";
	struct sets s;
	pid_t writer;

	if (access(file, W_OK))
		return "no second CPU, or it cannot go";
	sets_map(&s, 2, PAGES);
	writer = start_writer();
	sets_merge(&s, PAGES, "merging");
	for (int round = 0; round < 8; round++) {
		int err = write_file(file, "0");

		if (err)
			die("CPU 1 does not go: %s", strerror(-err));
		ksm_wait_passes(opt.backend, 1);
		sets_verify(&s, "CPU 1 is offline");
		if (round % 2)
			ksm_clear(opt.backend);
		err = write_file(file, "1");
		if (err)
			die("CPU 1 does not come back: %s", strerror(-err));
		ksm_full_speed(opt.backend);
		sets_wait(&s, PAGES, "CPU 1 is back");
	}
	end_writer(writer);
	sets_unmap(&s);
	return NULL;
}

static const struct trial trials[] = {
	{ "orphans", orphans, NEEDS_ENGINE },
	{ "freezer", freezer, 0 },
	{ "cpus", cpus, 0 },
	{ 0 },
};

int main(int argc, char **argv)
{
	return trials_main(argc, argv, trials,
			   "Kill unloads, freeze all tasks, take CPUs away, while pages merge.");
}
