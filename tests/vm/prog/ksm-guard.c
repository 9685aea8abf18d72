// SPDX-License-Identifier: GPL-2.0
/*
 * Never two engines at once: writers on every CPU throw random values at both run files while
 * processes hold equal pages, and a checker looks between the writes.
 *
 * Two files cannot be read at one moment, so a writer holds a lock shared while it writes, and the
 * checker takes it exclusively: what it reads then is one state of the machine. Refusals (EBUSY)
 * and a file that was just replaced (ENODEV, ENOENT) are right answers to a writer.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/lib.h"

#define MAX_CPUS 64
#define PAGES 128

struct config {
	unsigned long seconds;
	bool reload;
};

static struct config config = { .seconds = 60 };

static const struct arg args[] = {
	{ "seconds", 'd', "N", "how long (default: 60)", ARG_NUMBER(&config.seconds, 1, 86400) },
	{ "reload", 'r', NULL, "unload and load the engine's module all the while",
	  .flag = &config.reload },
	{ 0 },
};

/**
 * struct tally - in memory shared by all writers
 * @accepted: writes that succeeded, by engine and value
 * @refused: EBUSY, by engine
 * @gone: ENODEV and ENOENT
 * @reloads: of the module
 * @merged_reloads: of these, with pages merged when it went
 * @stop: time to end
 */
struct tally {
	unsigned long accepted[2][3];
	unsigned long refused[2];
	unsigned long gone;
	unsigned long reloads;
	unsigned long merged_reloads;
	bool stop;
};

static struct tally *tally;

static void count(unsigned long *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

static bool stopping(void)
{
	return __atomic_load_n(&tally->stop, __ATOMIC_RELAXED);
}

/* An open file description of its own: flock() between processes works on those. */
static int open_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/* Returns whether an engine was started. */
static bool write_one(uint64_t *rnd)
{
	uint64_t r = next_random(rnd);
	int engine = r & 1, value = (r >> 8) % 3;
	int err = ksm_write(&backends[engine], "run", value);

	switch (err) {
	case 0:
		count(&tally->accepted[engine][value]);
		return value == KSM_RUN_MERGE;
	case -EBUSY:
		count(&tally->refused[engine]);
		break;
	case -ENODEV:
	case -ENOENT:
		count(&tally->gone);
		break;
	default:
		die("writing %d to %s/run: %s", value, backends[engine].dir, strerror(-err));
	}
	return false;
}

static pid_t start_writer(int cpu, const char *lock_path)
{
	uint64_t rnd = opt.seed * MAX_CPUS + cpu;
	cpu_set_t set;
	pid_t pid = fork();
	int lock;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "vm-writer");
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("no CPU %d: %s", cpu, strerror(errno));
	lock = open_lock(lock_path);
	while (!stopping()) {
		bool started;

		flock(lock, LOCK_SH);
		started = write_one(&rnd);
		flock(lock, LOCK_UN);
		/* Let the checker in between two writes, and merging happen. */
		usleep(next_random(&rnd) % (started ? 100000 : 4000));
	}
	_exit(0);
}

/* Scan so fast that something merges between two writes; run stays as it is. */
static int set_pace(const struct backend *b)
{
	int err = ksm_write(b, "sleep_millisecs", 0);

	return err ?: ksm_write(b, "pages_to_scan", 4096);
}

static bool engine_holds_pages(void *arg)
{
	return ksm_try_read(&backends[BACKEND_ENGINE], "pages_shared") > 0;
}

static bool worth_unloading(void *arg)
{
	return engine_holds_pages(NULL) || stopping();
}

static void reload(uint64_t *rnd)
{
	/* Going with pages merged is the interesting case, but not the only one. */
	wait_for(4, worth_unloading, NULL);
	if (stopping())
		return;
	if (engine_holds_pages(NULL))
		count(&tally->merged_reloads);
	/* A writer inside a file of the module holds it for a moment. */
	while (syscall(SYS_delete_module, "ksm_engine", O_NONBLOCK)) {
		if (errno != EAGAIN && errno != EBUSY)
			die("rmmod: %s", strerror(errno));
		usleep(1000);
	}
	usleep(next_random(rnd) % 50000);
	if (system("modprobe ksm_engine") || set_pace(&backends[BACKEND_ENGINE]))
		die("the module does not come back");
	count(&tally->reloads);
}

/* The module comes and goes, whatever it holds; it is there again when this ends. */
static pid_t start_reloader(void)
{
	uint64_t rnd = opt.seed;
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "vm-reloader");
	while (!stopping())
		reload(&rnd);
	_exit(0);
}

static long holder_serve(void *ctx, int cmd, long arg)
{
	struct pages *p = ctx;

	if (cmd == 'v')
		return pages_wrong(p, 0, p->nr);
	pages_map(p, PAGES, opt.seed);
	for (size_t i = 0; i < p->nr; i++)
		page_fill(p, i, i + 1);
	pages_advise(p, 0, p->nr, MADV_MERGEABLE);
	return 0;
}

/**
 * struct view - what the checker saw
 * @looks: how often it looked
 * @merging: looks at which an engine ran and held merged pages, by engine
 */
struct view {
	unsigned long looks;
	unsigned long merging[2];
};

/* An engine whose files are not there (unloaded, or just being replaced) does nothing. */
static long long read_or_gone(const struct backend *b, const char *file)
{
	long long value = ksm_try_read(b, file);

	if (config.reload && (value == -ENOENT || value == -ENODEV))
		return 0;
	return value < 0 ? ksm_read(b, file) : value;
}

static void look(struct view *v)
{
	long long run[2], held[2];

	for (int i = 0; i < 2; i++) {
		run[i] = read_or_gone(&backends[i], "run");
		held[i] = read_or_gone(&backends[i], "pages_shared");
		v->merging[i] += run[i] == KSM_RUN_MERGE && held[i];
	}
	v->looks++;
	if (run[0] == KSM_RUN_MERGE && run[1] == KSM_RUN_MERGE)
		die("look %lu: both engines run", v->looks);
	if (held[0] && held[1])
		die("look %lu: both engines hold merged pages (kernel %lld, engine %lld)", v->looks,
		    held[0], held[1]);
}

/* Whether no engine runs, or the one that does has merged something. */
static bool idle_or_merging(void *arg)
{
	for (int i = 0; i < 2; i++) {
		if (read_or_gone(&backends[i], "run") == KSM_RUN_MERGE)
			return read_or_gone(&backends[i], "pages_shared") > 0;
	}
	return true;
}

static void check(const char *lock_path, struct view *v)
{
	double end = now_seconds() + config.seconds;
	int lock = open_lock(lock_path);

	while (now_seconds() < end) {
		flock(lock, LOCK_EX);
		/* Now and then a lull, so that slow machines get to merging, too. */
		if (v->looks % 8 == 0)
			wait_for(2, idle_or_merging, NULL);
		look(v);
		flock(lock, LOCK_UN);
		usleep(2000);
	}
	close(lock);
}

static void start_holders(struct worker *holders, struct pages *pages)
{
	static const char *const names[] = { "vm-left", "vm-right" };

	for (int i = 0; i < 2; i++) {
		worker_start(&holders[i], names[i], holder_serve, &pages[i]);
		worker_call(&holders[i], 'f', 0);
	}
}

static void finish(struct worker *holders, const struct view *v)
{
	for (int i = 0; i < 2; i++)
		ksm_clear(&backends[i]);
	for (int i = 0; i < 2; i++) {
		if (worker_call(&holders[i], 'v', 0))
			die("memory of a process changed");
		worker_stop(&holders[i]);
		if (ksm_read(&backends[i], "run") || ksm_read(&backends[i], "pages_shared"))
			die("%s does not come to rest", backends[i].dir);
	}
	for (int i = 0; i < 2; i++)
		say("%s: run 0/1/2 accepted %lu/%lu/%lu times, refused %lu; merging at %lu looks",
		    backends[i].name, tally->accepted[i][0], tally->accepted[i][1],
		    tally->accepted[i][2], tally->refused[i], v->merging[i]);
	say("%lu looks, %lu reloads (%lu with pages merged), %lu writes to a file that was gone",
	    v->looks, tally->reloads, tally->merged_reloads, tally->gone);
	if (config.reload && !tally->merged_reloads)
		die("the module was never unloaded with pages merged: nothing was proven");
	/* A guard that refuses everything would pass all of the above. */
	for (int i = 0; i < 2; i++) {
		if (!v->merging[i] && !(i == BACKEND_ENGINE && tally->merged_reloads))
			die("the %s engine never merged anything: nothing was proven",
			    backends[i].name);
		if (!tally->refused[i])
			die("run=1 of the %s engine was never refused: nothing was proven",
			    backends[i].name);
	}
}

int main(int argc, char **argv)
{
	char lock_path[] = "/tmp/ksm-guard.XXXXXX";
	struct worker holders[2];
	struct pages pages[2] = { 0 };
	struct view view = { 0 };
	pid_t others[MAX_CPUS + 1];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int fd, nr = 0;

	args_parse(argc, argv, args,
		   "Write random values to both run files from every CPU: never may both run.");
	cpus = cpus > MAX_CPUS ? MAX_CPUS : cpus;
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	fd = mkstemp(lock_path);
	if (tally == MAP_FAILED || fd < 0)
		die("no memory or no /tmp: %s", strerror(errno));
	close(fd);
	for (int i = 0; i < 2; i++) {
		if (set_pace(&backends[i]))
			die("%s cannot be written (is the module loaded?)", backends[i].dir);
	}
	start_holders(holders, pages);
	for (long cpu = 0; cpu < cpus; cpu++)
		others[nr++] = start_writer(cpu, lock_path);
	if (config.reload)
		others[nr++] = start_reloader();
	check(lock_path, &view);
	__atomic_store_n(&tally->stop, true, __ATOMIC_RELAXED);
	while (nr--) {
		int status;

		if (waitpid(others[nr], &status, 0) != others[nr] || status)
			die("process %d failed (status %#x)", others[nr], status);
	}
	unlink(lock_path);
	finish(holders, &view);
	say("ok: never both, for %lu s from %ld CPUs", config.seconds, cpus);
	return 0;
}
