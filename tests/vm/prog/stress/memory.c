// SPDX-License-Identifier: GPL-2.0
/* What a process does to its own memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stress.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define SOFT_OFFLINE 101
#define MPOL_MOVE (1 << 1)
/* So few that all processes have much in common; 0 is a page of zeroes. */
#define CONTENTS 48
#define HUGE_BYTES (2UL << 20)

size_t choose_range(struct stressor *s, size_t most, size_t *len)
{
	*len = 1 + choose(s, most);
	return choose(s, s->pages.nr - *len + 1);
}

void stress_populate(struct pages *p, size_t nr, uint64_t *rnd)
{
	pages_map(p, nr, opt.seed);
	for (size_t i = 0; i < nr; i++)
		page_fill(p, i, next_random(rnd) % CONTENTS);
	pages_advise(p, 0, nr, MADV_MERGEABLE);
}

void stress_verify(struct stressor *s, const char *when)
{
	long wrong = pages_wrong(&s->pages, 0, s->pages.nr);

	if (wrong)
		die("step %u: %ld pages of process %d hold wrong content %s", s->step, wrong,
		    s->index, when);
}

static bool verify(struct stressor *s)
{
	stress_verify(s, "when it looked");
	merging_look(s);
	return true;
}

static bool fill(struct stressor *s)
{
	size_t len, from = choose_range(s, 64, &len);
	bool same = choose(s, 4) == 0;
	uint64_t id = choose(s, CONTENTS);

	for (size_t i = from; i < from + len; i++)
		page_fill(&s->pages, i, same ? id : choose(s, CONTENTS));
	return true;
}

static bool patch(struct stressor *s)
{
	for (size_t n = 1 + choose(s, 64); n; n--)
		page_patch(&s->pages, choose(s, s->pages.nr), &s->rnd);
	return true;
}

/* As a debugger writes: through the kernel, at the address of another (here our own) process. */
static bool patch_through_proc(struct stressor *s)
{
	size_t i = choose(s, s->pages.nr);
	struct page_want *want = &s->pages.want[i];
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	off_t at;

	if (want->word == NO_PATCH)
		want->word = choose(s, page_size() / sizeof(uint64_t));
	want->value = next_random(&s->rnd);
	at = (uintptr_t)page_at(&s->pages, i) + want->word * sizeof(uint64_t);
	if (fd < 0 || pwrite(fd, &want->value, sizeof(want->value), at) != sizeof(want->value))
		die("step %u: /proc/self/mem: %s", s->step, strerror(errno));
	close(fd);
	return true;
}

static bool advise(struct stressor *s, size_t most, int advice)
{
	size_t len, from = choose_range(s, most, &len);

	pages_advise(&s->pages, from, from + len, advice);
	return true;
}

static bool mergeable(struct stressor *s)
{
	return advise(s, s->pages.nr, MADV_MERGEABLE);
}

static bool unmergeable(struct stressor *s)
{
	return advise(s, 256, MADV_UNMERGEABLE);
}

static void now_zeroes(struct stressor *s, size_t from, size_t len)
{
	for (size_t i = from; i < from + len; i++)
		s->pages.want[i] = (struct page_want){ .id = 0, .word = NO_PATCH };
}

static bool discard(struct stressor *s)
{
	size_t len, from = choose_range(s, 128, &len);

	munlock(page_at(&s->pages, from), len * page_size());
	pages_advise(&s->pages, from, from + len, MADV_DONTNEED);
	now_zeroes(s, from, len);
	return true;
}

static bool map_anew(struct stressor *s)
{
	size_t len, from = choose_range(s, 64, &len);
	void *at = page_at(&s->pages, from);

	if (munmap(at, len * page_size()))
		die("step %u: munmap: %s", s->step, strerror(errno));
	if (choose(s, 2))
		usleep(choose(s, 2000));
	if (mmap(at, len * page_size(), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
		die("step %u: mmap: %s", s->step, strerror(errno));
	now_zeroes(s, from, len);
	pages_advise(&s->pages, from, from + len, MADV_MERGEABLE);
	return true;
}

/* Away and back, page by page: a range would have to be a single area. */
static bool move(struct stressor *s)
{
	size_t len, from = choose_range(s, 8, &len);
	void *away = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = from; i < from + len && away != MAP_FAILED; i++) {
		void *home = page_at(&s->pages, i);

		if (mremap(home, page_size(), page_size(), MREMAP_MAYMOVE | MREMAP_FIXED, away) !=
		    away)
			die("step %u: mremap: %s", s->step, strerror(errno));
		if (mremap(away, page_size(), page_size(), MREMAP_MAYMOVE | MREMAP_FIXED, home) !=
		    home)
			die("step %u: mremap back: %s", s->step, strerror(errno));
	}
	return away != MAP_FAILED;
}

static bool protect(struct stressor *s)
{
	size_t len, from = choose_range(s, 256, &len);
	void *at = page_at(&s->pages, from);

	if (mprotect(at, len * page_size(), choose(s, 2) ? PROT_READ : PROT_NONE))
		die("step %u: mprotect: %s", s->step, strerror(errno));
	usleep(choose(s, 2000));
	if (mprotect(at, len * page_size(), PROT_READ | PROT_WRITE))
		die("step %u: mprotect back: %s", s->step, strerror(errno));
	return true;
}

static bool lock(struct stressor *s)
{
	size_t len, from = choose_range(s, 64, &len);
	void *at = page_at(&s->pages, from);
	int err = choose(s, 2) ? mlock(at, len * page_size()) : munlock(at, len * page_size());

	/* Memory that is busy for a moment is EAGAIN. */
	if (err && errno != EAGAIN)
		die("step %u: mlock: %s", s->step, strerror(errno));
	return true;
}

static bool page_out(struct stressor *s)
{
	size_t len, from = choose_range(s, 128, &len);

	munlock(page_at(&s->pages, from), len * page_size());
	pages_advise(&s->pages, from, from + len, MADV_PAGEOUT);
	return true;
}

static bool reclaim(struct stressor *s)
{
	char path[96];
	int err;

	snprintf(path, sizeof(path), "%s/memory.reclaim", s->cgroup);
	err = write_file(path, choose(s, 2) ? "1M" : "4M");
	if (err && err != -EAGAIN && err != -ENOENT)
		die("step %u: %s: %s", s->step, path, strerror(-err));
	return err != -ENOENT;
}

/* Pages into a huge one. That may fail for many reasons, as long as the content stays. */
static bool collapse(struct stressor *s)
{
	uintptr_t at = (uintptr_t)s->pages.mem;
	void *huge = (void *)((at + HUGE_BYTES - 1) & -HUGE_BYTES);

	if (madvise(huge, HUGE_BYTES, MADV_HUGEPAGE))
		return false;
	if (!madvise(huge, HUGE_BYTES, MADV_COLLAPSE))
		return true;
	return errno != EINVAL;
}

static bool move_pages_to(struct stressor *s)
{
	size_t len, from = choose_range(s, 128, &len);
	void *addrs[128];
	int nodes[128], status[128];
	long left;

	for (size_t i = 0; i < len; i++) {
		addrs[i] = page_at(&s->pages, from + i);
		nodes[i] = choose(s, 2);
	}
	left = syscall(SYS_move_pages, 0, len, addrs, nodes, status, MPOL_MOVE);
	/* No second node: nothing to move to. */
	return left >= 0 || (errno != ENODEV && errno != ENOSYS);
}

/* The frame is taken out of use for ever, so this is done seldom. */
static bool soft_offline(struct stressor *s)
{
	void *at = page_at(&s->pages, choose(s, s->pages.nr));

	return !madvise(at, page_size(), SOFT_OFFLINE) || errno != EINVAL;
}

/* A pipe refers to the frames while the scanner looks; nobody writes meanwhile. */
static bool pin(struct stressor *s)
{
	size_t len, from = choose_range(s, 8, &len);
	struct iovec iov = { page_at(&s->pages, from), len * page_size() };
	unsigned char copy[8 * 65536];
	int fds[2];
	ssize_t got, in;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		die("step %u: pipe: %s", s->step, strerror(errno));
	in = vmsplice(fds[1], &iov, 1, SPLICE_F_NONBLOCK);
	if (in <= 0)
		die("step %u: vmsplice: %s", s->step, strerror(errno));
	usleep(choose(s, 5000));
	for (ssize_t at = 0; at < in; at += got) {
		got = read(fds[0], copy + at, in - at);
		if (got <= 0)
			die("step %u: pipe ends after %zd of %zd bytes", s->step, at, in);
	}
	if (memcmp(copy, iov.iov_base, in))
		die("step %u: a pipe has another content than the pages in it", s->step);
	close(fds[0]);
	close(fds[1]);
	return true;
}

const struct deed memory_deeds[] = {
	{ "verify", 12, verify },
	{ "fill", 14, fill },
	{ "write", 12, patch },
	{ "proc-mem", 4, patch_through_proc },
	{ "mergeable", 6, mergeable },
	{ "unmergeable", 5, unmergeable },
	{ "dontneed", 4, discard },
	{ "map-anew", 4, map_anew },
	{ "mremap", 4, move },
	{ "mprotect", 4, protect },
	{ "mlock", 3, lock },
	{ "pageout", 4, page_out },
	{ "reclaim", 4, reclaim },
	{ "collapse", 2, collapse },
	{ "move-pages", 4, move_pages_to },
	{ "soft-offline", 1, soft_offline },
	{ "pin", 4, pin },
	{ 0 },
};
