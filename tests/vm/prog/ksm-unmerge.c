// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_UNMERGEABLE and run=2, on merged memory in every condition: each page gets a frame of its
 * own, holds what it held, and stays alone while the scanner goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/trials.h"

#define PAGES 128
#define MANY 4096 /* more than are unmerged between two signals */
#define ENTRY_UFFD_WP (1ULL << 57)
#define ENTRY_SOFT_DIRTY (1ULL << 55)

static void merged_pair(struct sets *s)
{
	sets_map(s, 2, PAGES);
	sets_merge(s, PAGES, "merged");
}

static void protect(struct pages *p, int prot)
{
	if (mprotect(p->mem, p->nr * page_size(), prot))
		die("mprotect: %s", strerror(errno));
}

/* Frames alone: for memory that cannot be read just now. */
static void expect_frames(struct sets *s, size_t want, const char *when)
{
	sets_look(s);
	if (s->last.distinct != want)
		die("%s: %zu pages on %zu frames, %zu expected", when, s->last.mapped,
		    s->last.distinct, want);
}

/* Kernels from 6.10 on call every anonymous page a KSM page there. */
static bool flag_tells(void)
{
	struct pages one;
	bool flagged;

	pages_map(&one, 1, opt.seed);
	page_fill(&one, 0, 1);
	flagged = page_flags(one.mem) & PAGE_KSM;
	pages_unmap(&one);
	return !flagged;
}

/*
 * A KSM page that nobody shares any more still is one: where the flag tells. Elsewhere 0, and it
 * rests on frames alone.
 */
static size_t count_ksm(const struct pages *p)
{
	size_t found = 0;

	for (size_t i = 0; flag_tells() && i < p->nr; i++)
		found += !!(page_flags(page_at(p, i)) & PAGE_KSM);
	return found;
}

static const char *whole(void)
{
	struct sets s;

	merged_pair(&s);
	pages_advise(&s.p[0], 0, PAGES, MADV_UNMERGEABLE);
	sets_expect(&s, 2 * PAGES, "one side unmerged");
	if (area_has_flag(s.p[0].mem, "mg") || !area_has_flag(s.p[1].mem, "mg"))
		die("the wrong area is mergeable");
	sets_stay(&s, 2 * PAGES, "one side unmerged");
	/* Nobody shares them, but they are KSM pages until somebody writes. */
	ksm_wait_items(opt.backend, PAGES, "one side unmerged");
	sets_merge(&s, PAGES, "mergeable again");
	sets_advise(&s, MADV_UNMERGEABLE);
	sets_expect(&s, 2 * PAGES, "both sides unmerged");
	ksm_wait_items(opt.backend, 0, "both sides unmerged");
	sets_unmap(&s);
	return NULL;
}

static const char *partial(void)
{
	const size_t from = PAGES / 4, to = PAGES / 2 + 1, more = PAGES - 3;
	struct sets s;

	merged_pair(&s);
	pages_advise(&s.p[0], from, to, MADV_UNMERGEABLE);
	sets_stay(&s, PAGES + to - from, "the middle unmerged");
	/* Over the edge of what is unmerged already; the last three pages stay. */
	pages_advise(&s.p[0], to - 2, more, MADV_UNMERGEABLE);
	sets_stay(&s, PAGES + more - from, "more unmerged");
	pages_advise(&s.p[0], 0, 1, MADV_UNMERGEABLE);
	sets_stay(&s, PAGES + more - from + 1, "the first page unmerged");
	sets_merge(&s, PAGES, "mergeable again");
	sets_unmap(&s);
	return NULL;
}

static const char *discarded(void)
{
	struct sets s;

	merged_pair(&s);
	pages_advise(&s.p[0], 0, PAGES / 2, MADV_DONTNEED);
	for (size_t i = 0; i < PAGES / 2; i++)
		s.p[0].want[i].id = 0;
	pages_advise(&s.p[0], 0, PAGES, MADV_UNMERGEABLE);
	sets_expect(&s, PAGES + PAGES / 2, "half discarded, then unmerged");
	/* Reading put the one zero page into the discarded half. */
	sets_stay(&s, PAGES + PAGES / 2 + 1, "half discarded, then unmerged");
	sets_unmap(&s);
	return NULL;
}

static const char *prot_none(void)
{
	struct sets s;

	merged_pair(&s);
	protect(&s.p[0], PROT_NONE);
	pages_advise(&s.p[0], 0, PAGES, MADV_UNMERGEABLE);
	if (count_ksm(&s.p[0])) {
		sets_unmap(&s);
		return "the kernel finds no PROT_NONE pages when it unmerges";
	}
	expect_frames(&s, 2 * PAGES, "PROT_NONE, unmerged");
	protect(&s.p[0], PROT_READ);
	sets_stay(&s, 2 * PAGES, "PROT_NONE, unmerged, then readable");
	sets_unmap(&s);
	return NULL;
}

/* Neither may be written by its owner: run=2 has to break them all the same. */
static const char *run2_protected(void)
{
	struct sets s;

	merged_pair(&s);
	protect(&s.p[0], PROT_NONE);
	protect(&s.p[1], PROT_READ);
	ksm_clear(opt.backend);
	if (opt.backend == &backends[BACKEND_KERNEL] && count_ksm(&s.p[0])) {
		sets_unmap(&s);
		return "the kernel finds no PROT_NONE pages when it unmerges";
	}
	if (count_ksm(&s.p[0]) || count_ksm(&s.p[1]))
		die("run=2 left KSM pages");
	expect_frames(&s, 2 * PAGES, "PROT_NONE and PROT_READ, run=2");
	if (ksm_items(opt.backend))
		die("run=2 left %lld pages merged", ksm_items(opt.backend));
	protect(&s.p[0], PROT_READ);
	sets_verify(&s, "PROT_NONE and PROT_READ, run=2");
	sets_unmap(&s);
	return NULL;
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	alarms++;
}

static void alarms_every(unsigned int microseconds)
{
	struct itimerval every = {
		.it_interval.tv_usec = microseconds,
		.it_value.tv_usec = microseconds,
	};

	if (setitimer(ITIMER_REAL, &every, NULL))
		die("setitimer: %s", strerror(errno));
}

/* 0 or -errno of run=2 in a process that gets a signal every so often. */
static int interrupted_run2(unsigned int microseconds)
{
	int err = ksm_write(opt.backend, "run", KSM_RUN_STOP);

	/* Nobody has to be waited for then. */
	if (err)
		die("run=0: %s", strerror(-err));
	alarms_every(microseconds);
	err = ksm_write(opt.backend, "run", KSM_RUN_UNMERGE);
	alarms_every(0);
	return err;
}

/*
 * A writer of run=2 who is wanted elsewhere is let go: nothing is lost, run says 0, and the next
 * one ends what he began. A signal that comes in the middle is found by trying.
 */
static const char *run2_signal(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int every = 250;
	int tries = 0;
	struct sets s;

	sigaction(SIGALRM, &action, NULL);
	sets_map(&s, 2, MANY);
	do {
		int err;

		sets_merge(&s, MANY, "merged");
		err = interrupted_run2(every);
		if (err && err != -EINTR)
			die("run=2, %d signals: %s", (int)alarms, strerror(-err));
		if (err && ksm_read(opt.backend, "run") != KSM_RUN_STOP)
			die("run is %lld after a signal", ksm_read(opt.backend, "run"));
		sets_look(&s);
		if (!err && s.last.distinct != 2 * MANY)
			die("run=2: %zu pages on %zu frames", s.last.mapped, s.last.distinct);
		every = s.last.distinct == MANY ? every * 2 : every * 2 / 3 + 1;
		if (++tries == 50)
			die("no signal comes in the middle of unmerging");
	} while (s.last.distinct == MANY || s.last.distinct == 2 * MANY);
	say("  %zu of %d pages unmerged when interrupted", s.last.distinct - MANY, MANY);
	sets_verify(&s, "run=2, interrupted");
	ksm_clear(opt.backend);
	sets_expect(&s, 2 * MANY, "run=2 again");
	sets_unmap(&s);
	return NULL;
}

/* The child unmerges its copy of the mappings; the parent's pages stay where they are. */
static const char *forked(void)
{
	struct sets s;
	int status;
	pid_t pid;

	merged_pair(&s);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		sets_expect(&s, PAGES, "forked");
		sets_stay(&s, PAGES, "forked and scanned");
		sets_advise(&s, MADV_UNMERGEABLE);
		sets_expect(&s, 2 * PAGES, "unmerged in the child");
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("the child ended with status %#x", status);
	sets_stay(&s, PAGES, "unmerged in the child");
	ksm_wait_items(opt.backend, 2 * PAGES, "unmerged in the child");
	sets_unmap(&s);
	return NULL;
}

/* ---- userfaultfd ---- */

static int uffd_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		die("userfaultfd: %s", strerror(errno));
	return fd;
}

static void uffd_register(int fd, const struct pages *p, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)p->mem, .len = p->nr * page_size() },
		.mode = mode,
	};

	if (ioctl(fd, UFFDIO_REGISTER, &reg))
		die("UFFDIO_REGISTER: %s", strerror(errno));
}

static void uffd_protect(int fd, const struct pages *p, uint64_t mode)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)p->mem, .len = p->nr * page_size() },
		.mode = mode,
	};

	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		die("UFFDIO_WRITEPROTECT: %s", strerror(errno));
}

static size_t count_protected(const struct pages *p)
{
	uint64_t entries[PAGES];
	size_t found = 0;

	if (pagemap_read(getpid(), (uintptr_t)p->mem, p->nr, entries))
		die("cannot read pagemap");
	for (size_t i = 0; i < p->nr; i++)
		found += !!(entries[i] & ENTRY_UFFD_WP);
	return found;
}

static void expect_protected(const struct pages *p, const char *when)
{
	size_t found = count_protected(p);

	if (found != p->nr)
		die("%s: %zu of %zu pages are write-protected by userfaultfd", when, found, p->nr);
}

/* Merged, then protected, then unmerged: still protected, or its monitor misses writes. */
static const char *uffd_wp(void)
{
	int fd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	struct sets s;

	sets_map(&s, 2, PAGES);
	uffd_register(fd, &s.p[0], UFFDIO_REGISTER_MODE_WP);
	sets_merge(&s, PAGES, "registered with userfaultfd");
	uffd_protect(fd, &s.p[0], UFFDIO_WRITEPROTECT_MODE_WP);
	expect_protected(&s.p[0], "merged");
	pages_advise(&s.p[0], 0, PAGES, MADV_UNMERGEABLE);
	sets_look(&s);
	expect_protected(&s.p[0], "unmerged");
	if (s.last.distinct == PAGES) {
		close(fd);
		sets_unmap(&s);
		return "the kernel unmerges by write faults, and userfaultfd refuses those";
	}
	sets_expect(&s, 2 * PAGES, "unmerged under userfaultfd");
	uffd_protect(fd, &s.p[0], 0);
	sets_write(&s, 0, 0, PAGES);
	sets_verify(&s, "unmerged under userfaultfd, then written");
	close(fd);
	sets_unmap(&s);
	return NULL;
}

/*
 * Protected first: a page that loses its protection by being merged changes behind its monitor's
 * back. The kernel's own KSM loses it.
 */
static const char *uffd_wp_first(void)
{
	int fd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	struct sets s;

	sets_map(&s, 2, PAGES);
	uffd_register(fd, &s.p[0], UFFDIO_REGISTER_MODE_WP);
	uffd_protect(fd, &s.p[0], UFFDIO_WRITEPROTECT_MODE_WP);
	sets_merge(&s, PAGES, "protected by userfaultfd");
	expect_protected(&s.p[0], "merged while protected");
	if (count_protected(&s.p[1]))
		die("the other side became protected, too");
	ksm_clear(opt.backend);
	sets_expect(&s, 2 * PAGES, "run=2 under userfaultfd");
	expect_protected(&s.p[0], "run=2");
	sets_merge(&s, PAGES, "protected by userfaultfd, again");
	uffd_protect(fd, &s.p[0], 0);
	sets_write(&s, 0, 0, PAGES);
	sets_expect(&s, 2 * PAGES, "written");
	close(fd);
	sets_unmap(&s);
	return NULL;
}

/* Newer kernels protect from reads, too: not merged, or accesses go unseen. */
#ifndef UFFD_FEATURE_RWP
#define UFFD_FEATURE_RWP (1 << 17)
#define UFFDIO_REGISTER_MODE_RWP ((uint64_t)1 << 3)
#define UFFDIO_RWPROTECT _IOWR(UFFDIO, 0x09, struct uffdio_writeprotect)
#endif

static const char *uffd_rwp(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_RWP };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_writeprotect rwp = { .mode = 1 };
	struct sets s;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return "userfaultfd does not protect from reads";
	sets_map(&s, 3, PAGES);
	rwp.range.start = (uintptr_t)s.p[0].mem;
	rwp.range.len = PAGES * page_size();
	uffd_register(fd, &s.p[0], UFFDIO_REGISTER_MODE_RWP);
	if (ioctl(fd, UFFDIO_RWPROTECT, &rwp))
		die("UFFDIO_RWPROTECT: %s", strerror(errno));
	sets_advise(&s, MADV_MERGEABLE);
	ksm_full_speed(opt.backend);
	ksm_wait_items(opt.backend, 2 * PAGES, "one of three is protected from reads");
	ksm_wait_passes(opt.backend, 2);
	expect_frames(&s, 2 * PAGES, "one of three is protected from reads");
	expect_protected(&s.p[0], "after three passes");
	rwp.mode = 0;
	if (ioctl(fd, UFFDIO_RWPROTECT, &rwp))
		die("UFFDIO_RWPROTECT, end: %s", strerror(errno));
	sets_wait(&s, PAGES, "readable again");
	close(fd);
	sets_unmap(&s);
	return NULL;
}

/* Memory written since a tracker looked last must say so also when it was merged meanwhile. */
static const char *soft_dirty(void)
{
	uint64_t entry;
	struct sets s;
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	sets_map(&s, 2, PAGES);
	if (fd < 0 || write(fd, "4", 1) != 1)
		die("/proc/self/clear_refs: %s", strerror(errno));
	close(fd);
	for (size_t i = 0; i < PAGES; i += 2)
		page_fill(&s.p[0], i, i + 1);
	if (pagemap_read(getpid(), (uintptr_t)s.p[0].mem, 1, &entry))
		die("cannot read pagemap");
	if (!(entry & ENTRY_SOFT_DIRTY)) {
		sets_unmap(&s);
		return "no soft-dirty tracking in this kernel";
	}
	sets_merge(&s, PAGES, "half written since clear_refs");
	for (size_t i = 0; i < PAGES; i++) {
		if (pagemap_read(getpid(), (uintptr_t)page_at(&s.p[0], i), 1, &entry))
			die("cannot read pagemap");
		if (!!(entry & ENTRY_SOFT_DIRTY) == i % 2)
			die("merged page %zu is %ssoft-dirty", i, i % 2 ? "" : "not ");
	}
	sets_unmap(&s);
	return NULL;
}

/* Pages that userfaultfd supplied, merged, discarded, and supplied again. */
static const char *uffd_missing(void)
{
	int fd = uffd_open(0);
	struct sets s;

	merged_pair(&s);
	uffd_register(fd, &s.p[0], UFFDIO_REGISTER_MODE_MISSING);
	pages_advise(&s.p[0], 0, PAGES, MADV_DONTNEED);
	/* From the other side: the same contents. */
	for (size_t i = 0; i < PAGES; i++) {
		struct uffdio_copy copy = {
			.dst = (uintptr_t)page_at(&s.p[0], i),
			.src = (uintptr_t)page_at(&s.p[1], i),
			.len = page_size(),
		};

		if (ioctl(fd, UFFDIO_COPY, &copy))
			die("UFFDIO_COPY: %s", strerror(errno));
	}
	sets_wait(&s, PAGES, "supplied by userfaultfd");
	pages_advise(&s.p[0], 0, PAGES, MADV_UNMERGEABLE);
	sets_stay(&s, 2 * PAGES, "supplied by userfaultfd, then unmerged");
	close(fd);
	sets_unmap(&s);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "whole", whole, 0 },
		{ "partial", partial, 0 },
		{ "discarded", discarded, 0 },
		{ "prot-none", prot_none, 0 },
		{ "run2-protected", run2_protected, 0 },
		{ "run2-signal", run2_signal, 0 },
		{ "forked", forked, 0 },
		{ "uffd-missing", uffd_missing, 0 },
		{ "uffd-wp", uffd_wp, 0 },
		{ "uffd-wp-first", uffd_wp_first, NEEDS_ENGINE },
		{ "uffd-rwp", uffd_rwp, NEEDS_ENGINE },
		{ "soft-dirty", soft_dirty, NEEDS_ENGINE },
		{ 0 },
	};

	return trials_main(argc, argv, trials,
			   "Unmerge memory in every condition, and look at frames and contents.");
}
