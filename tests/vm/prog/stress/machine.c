// SPDX-License-Identifier: GPL-2.0
/* What an operator does, to the engine and to the machine, while all the rest goes on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/trials.h"
#include "stress.h"

#define SWAP_DEVICE "/dev/swapdisk"

static const struct backend *const engine = &backends[BACKEND_ENGINE];
static const struct backend *const intree = &backends[BACKEND_KERNEL];

/* Refused because pages are merged, or the module is not there just now: both are right. */
static void tolerate(struct stressor *s, const char *what, int err)
{
	if (err && err != -EBUSY && err != -ENOENT && err != -ENODEV)
		die("step %u: %s: %s", s->step, what, strerror(-err));
}

/* The advisor does not let others set it. */
static void set_pages_to_scan(struct stressor *s, unsigned long pages)
{
	int err = ksm_write(engine, "pages_to_scan", pages);

	if (err != -EINVAL)
		tolerate(s, "pages_to_scan", err);
}

static void start_scanner(struct stressor *s)
{
	if (!arena->idle)
		tolerate(s, "run=1", ksm_write(engine, "run", KSM_RUN_MERGE));
}

static bool run_on(struct stressor *s)
{
	start_scanner(s);
	return true;
}

static bool run_other(struct stressor *s)
{
	int run = choose(s, 3) ? KSM_RUN_UNMERGE : KSM_RUN_STOP;

	tolerate(s, "run=0 or 2", ksm_write(engine, "run", run));
	start_scanner(s);
	return true;
}

/* A signal in the middle of unmerging. */
static bool run_interrupted(struct stressor *s)
{
	pid_t pid = fork_child();

	if (!pid) {
		ksm_write(engine, "run", KSM_RUN_UNMERGE);
		_exit(0);
	}
	usleep(choose(s, 10000));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	start_scanner(s);
	return true;
}

static bool pace(struct stressor *s)
{
	set_pages_to_scan(s, 64 << choose(s, 8));
	tolerate(s, "sleep_millisecs", ksm_write(engine, "sleep_millisecs", choose(s, 3)));
	return true;
}

static bool knob(struct stressor *s)
{
	static const struct {
		const char *file, *values[3];
	} knobs[] = {
		{ "max_page_sharing", { "2", "16", "256" } },
		{ "merge_across_nodes", { "0", "1", "1" } },
		{ "use_zero_pages", { "0", "1", "1" } },
		{ "smart_scan", { "0", "1", "0" } },
		{ "full_hash_passes", { "1", "2", "16" } },
		{ "merge_domain", { "all", "uid", "cgroup" } },
		{ "stable_node_chains_prune_millisecs", { "0", "10", "2000" } },
		{ "advisor_mode", { "none", "scan-time", "none" } },
	};
	size_t i = choose(s, sizeof(knobs) / sizeof(knobs[0]));

	tolerate(s, knobs[i].file,
		 ksm_write_text(engine, knobs[i].file, knobs[i].values[choose(s, 3)]));
	return true;
}

/* In-tree KSM's turn, or the attempt: it hands back what it merged. */
static bool other_engine(struct stressor *s)
{
	if (choose(s, 2))
		tolerate(s, "engine run=2", ksm_write(engine, "run", KSM_RUN_UNMERGE));
	tolerate(s, "in-tree run", ksm_write(intree, "run", 1 + choose(s, 2)));
	usleep(choose(s, 30000));
	tolerate(s, "in-tree run=2", ksm_write(intree, "run", KSM_RUN_UNMERGE));
	tolerate(s, "in-tree run=0", ksm_write(intree, "run", KSM_RUN_STOP));
	return true;
}

static void load(struct stressor *s)
{
	int err = module_load();

	if (err)
		die("step %u: loading the module: %s", s->step, strerror(-err));
	tolerate(s, "sleep_millisecs", ksm_write(engine, "sleep_millisecs", 0));
	set_pages_to_scan(s, 4096);
	start_scanner(s);
}

/* The mutex is that of a machine whose administrator does one thing at a time. */
bool stress_reload(struct stressor *s)
{
	int err;

	pthread_mutex_lock(&arena->machine);
	merging_note();
	/* Who is inside a file or the device of the module keeps it for a moment. */
	while ((err = module_unload())) {
		if (err != -EAGAIN && err != -EBUSY)
			die("step %u: rmmod: %s", s->step, strerror(-err));
		usleep(1000);
	}
	usleep(choose(s, 10000));
	load(s);
	arena->reloads++;
	pthread_mutex_unlock(&arena->machine);
	return true;
}

static bool attach_self(struct stressor *s)
{
	int device = open(KSM_ABI_DEV, O_RDWR | O_CLOEXEC);

	if (device < 0)
		return errno == ENOENT || errno == ENODEV || errno == ENXIO;
	/* Already so, or not: the seed does not care. */
	attach_pid(device, KSM_ABI_ATTACH, getpid(), NULL);
	if (choose(s, 2))
		attach_pid(device, KSM_ABI_DETACH, getpid(), NULL);
	close(device);
	return true;
}

static bool cpu_hotplug(struct stressor *s)
{
	const char *file = "/sys/devices/system/cpu/cpu1/online";
	bool there;

	pthread_mutex_lock(&arena->machine);
	there = !write_file(file, "0");
	usleep(choose(s, 20000));
	if (there && write_file(file, "1"))
		die("step %u: CPU 1 does not come back: %s", s->step, strerror(errno));
	pthread_mutex_unlock(&arena->machine);
	return there;
}

static bool compact(struct stressor *s)
{
	return !write_file("/proc/sys/vm/compact_memory", "1");
}

/* Everything comes back from swap, merged pages as copies. */
static bool swap_off(struct stressor *s)
{
	pthread_mutex_lock(&arena->machine);
	if (swapoff(SWAP_DEVICE) && errno != ENOMEM)
		die("step %u: swapoff: %s", s->step, strerror(errno));
	if (swapon(SWAP_DEVICE, 0) && errno != EBUSY)
		die("step %u: swapon: %s", s->step, strerror(errno));
	pthread_mutex_unlock(&arena->machine);
	return true;
}

/* A block of memory goes offline, or cannot: what is in it moves away. */
static bool memory_offline(struct stressor *s)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%u/state",
		 (unsigned int)choose(s, 8));
	if (access(path, W_OK))
		return false;
	pthread_mutex_lock(&arena->machine);
	write_file(path, "offline");
	write_file(path, "online");
	pthread_mutex_unlock(&arena->machine);
	return true;
}

const struct deed machine_deeds[] = {
	{ "run-1", 8, run_on },
	{ "run-0-2", 3, run_other },
	{ "run-2-killed", 2, run_interrupted },
	{ "pace", 2, pace },
	{ "knob", 4, knob },
	{ "other-engine", 1, other_engine },
	{ "reload", 1, stress_reload },
	{ "attach", 2, attach_self },
	{ "cpu-hotplug", 1, cpu_hotplug },
	{ "compact", 2, compact },
	{ "swapoff", 1, swap_off },
	{ "memory-offline", 1, memory_offline },
	{ 0 },
};
