// SPDX-License-Identifier: GPL-2.0
/*
 * Unmerging needs memory that is not there: in a control group, whose process dies of it and nobody
 * else; and in the whole machine, where it is the writer of run=2 who dies, and all stays merged
 * that was not yet unmerged.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/trials.h"

#define PAGES 4096
#define CONTENTS 16
#define GROUP KSM_ABI_CGROUP "/ksm-oom"
#define SCAPEGOAT_PAGES 4096 /* 16 MiB */

/* ---- a process with much memory in few frames ---- */

/**
 * struct holder - its view
 * @pages: its memory
 * @filled: how much of it has been written
 */
struct holder {
	struct pages pages;
	size_t filled;
};

static long fill_more(struct holder *h, size_t nr)
{
	for (; nr && h->filled < h->pages.nr; nr--, h->filled++)
		page_fill(&h->pages, h->filled, 1 + h->filled % CONTENTS);
	return h->filled;
}

/* j: join the group; m N: map N pages; f N: fill N more; v: compare; u: MADV_UNMERGEABLE */
static long holder_serve(void *ctx, int cmd, long arg)
{
	struct holder *h = ctx;

	switch (cmd) {
	case 'j':
		return write_file(GROUP "/cgroup.procs", "0");
	case 'm':
		pages_map(&h->pages, arg, opt.seed);
		pages_advise(&h->pages, 0, arg, MADV_NOHUGEPAGE);
		pages_advise(&h->pages, 0, arg, MADV_MERGEABLE);
		return 0;
	case 'f':
		return fill_more(h, arg);
	case 'v':
		return pages_wrong(&h->pages, 0, h->filled);
	case 'u':
		return madvise(h->pages.mem, h->pages.nr * page_size(), MADV_UNMERGEABLE) ? -errno :
											     0;
	}
	die("unknown command %c", cmd);
}

static struct holder holder;

static void start_holder(struct worker *w, bool in_group, size_t pages)
{
	worker_start(w, "vm-holder", holder_serve, &holder);
	if (in_group && worker_call(w, 'j', 0))
		die("cannot join " GROUP);
	worker_call(w, 'm', pages);
}

static void expect_right(struct worker *w, const char *when)
{
	long wrong = worker_call(w, 'v', 0);

	if (wrong)
		die("%s: %ld pages hold wrong content", when, wrong);
}

/* ---- a control group ---- */

static long long group_value(const char *file, const char *key)
{
	char path[96], name[64];
	long long value = -1, found = -1;
	FILE *f;

	snprintf(path, sizeof(path), GROUP "/%s", file);
	f = fopen(path, "r");
	if (!f)
		die("%s: %s", path, strerror(errno));
	if (!key && fscanf(f, "%lld", &found) != 1)
		die("%s has no number", path);
	while (key && fscanf(f, "%63s %lld", name, &value) == 2) {
		if (!strcmp(name, key))
			found = value;
	}
	fclose(f);
	return found;
}

/* What is merged now fits, and half a megabyte more; swap does not help. */
static void limit_group(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", group_value("memory.current", NULL) + (512 << 10));
	write_file(GROUP "/memory.swap.max", "0");
	if (write_file(GROUP "/memory.max", text))
		die("memory.max cannot be set");
}

static void expect_oom_killed(struct worker *w)
{
	int status;

	if (waitpid(w->pid, &status, 0) != w->pid || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGKILL)
		die("the process without memory ended with status %#x", status);
	close(w->fd);
	if (group_value("memory.events", "oom_kill") < 1)
		die("the process was killed, but not for lack of memory");
}

/* Both merged; @victim is in a group that has no memory left. */
static void start_pair(struct worker *victim, struct worker *other)
{
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		die("mkdir " GROUP ": %s", strerror(errno));
	ksm_full_speed(opt.backend);
	start_holder(victim, true, PAGES);
	start_holder(other, false, PAGES);
	worker_call(victim, 'f', PAGES);
	worker_call(other, 'f', PAGES);
	ksm_wait_items(opt.backend, 2 * PAGES, "merging");
	limit_group();
}

static void end_pair(struct worker *other)
{
	expect_right(other, "the other process was killed");
	ksm_full_speed(opt.backend);
	ksm_wait_items(opt.backend, PAGES, "the other process was killed");
	expect_right(other, "merged again");
	ksm_clear(opt.backend);
	expect_items(0, "run=2 with memory");
	expect_none_lost("run=2 with memory");
	worker_stop(other);
	rmdir(GROUP);
}

static const char *group_run(void)
{
	struct worker victim, other;
	int err;

	start_pair(&victim, &other);
	err = ksm_write(opt.backend, "run", KSM_RUN_UNMERGE);
	if (err && err != -ENOMEM)
		die("run=2 while a group has no memory: %s", strerror(-err));
	if (ksm_read(opt.backend, "run") != (err ? KSM_RUN_STOP : KSM_RUN_UNMERGE))
		die("run=2 gave %d, and run reads %lld", err, ksm_read(opt.backend, "run"));
	say("  run=2: %s", err ? strerror(-err) : "done");
	expect_oom_killed(&victim);
	end_pair(&other);
	return NULL;
}

static const char *group_madvise(void)
{
	struct worker victim, other;

	start_pair(&victim, &other);
	worker_send(&victim, 'u', 0);
	expect_oom_killed(&victim);
	end_pair(&other);
	return NULL;
}

/* ---- the whole machine ---- */

/*
 * Who goes when memory is short once more after that: copies stay, and what little this program
 * needs may be too much.
 */
static pid_t start_scapegoat(void)
{
	pid_t pid = fork_child();
	struct pages p;

	if (pid)
		return pid;
	write_file("/proc/self/oom_score_adj", "1000");
	pages_map(&p, SCAPEGOAT_PAGES, opt.seed);
	for (size_t i = 0; i < p.nr; i++)
		page_fill(&p, i, i);
	for (;;)
		pause();
}

/* The file's writer is forked: it will not live. */
static void unmerge_and_die(void)
{
	pid_t pid = fork_child();
	int status;

	if (!pid) {
		write_file("/proc/self/oom_score_adj", "0");
		ksm_write(opt.backend, "run", KSM_RUN_UNMERGE);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid: %s", strerror(errno));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		die("run=2 without memory: its writer ended with status %#x", status);
}

/*
 * More than the machine has, and a quarter; filled no faster than it merges. Of each content an
 * even number: a single page beyond a multiple of max_page_sharing has none to merge with.
 */
static const char *machine_run(void)
{
	long long available = meminfo("MemAvailable") * 1024 / page_size();
	size_t eighth = available / 8 / (2 * CONTENTS) * (2 * CONTENTS);
	size_t total = 10 * eighth, filled = 0;
	struct worker w;
	pid_t scapegoat;

	if (meminfo("SwapTotal"))
		return "swap is on";
	/* Else it would be short of processes, too. */
	write_file("/proc/self/oom_score_adj", "-1000");
	ksm_full_speed(opt.backend);
	ksm_write(opt.backend, "pages_to_scan", 100000);
	start_holder(&w, false, total);
	while (filled < total) {
		filled = worker_call(&w, 'f', eighth);
		ksm_wait_items(opt.backend, filled, "merging more than there is memory");
	}
	say("  %zu MiB merged, %lld MiB were available", total * page_size() >> 20,
	    available * (long long)page_size() >> 20);
	scapegoat = start_scapegoat();
	unmerge_and_die();
	if (ksm_read(opt.backend, "run"))
		die("run=2 failed, and run reads %lld", ksm_read(opt.backend, "run"));
	say("  the writer of run=2 was killed, %lld of %zu pages count as merged",
	    ksm_items(opt.backend), total);
	ksm_full_speed(opt.backend);
	ksm_write(opt.backend, "pages_to_scan", 100000);
	ksm_wait_items(opt.backend, total, "run=1 after run=2 failed");
	expect_right(&w, "run=1 after run=2 failed");
	worker_kill(&w);
	kill(scapegoat, SIGKILL);
	waitpid(scapegoat, NULL, 0);
	write_file("/proc/self/oom_score_adj", "0");
	ksm_wait_items(opt.backend, 0, "all processes have gone");
	ksm_clear(opt.backend);
	expect_none_lost("all processes have gone");
	return NULL;
}

static const struct trial trials[] = {
	{ "group-run", group_run, 0 },
	{ "group-madvise", group_madvise, 0 },
	{ "machine-run", machine_run, 0 },
	{ 0 },
};

int main(int argc, char **argv)
{
	return trials_main(argc, argv, trials, "Unmerge without the memory that it takes.");
}
