// SPDX-License-Identifier: GPL-2.0
/* One of the two processes of a scene: does to its own memory what it is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "actor.h"

static long fill(struct actor *a, size_t nr)
{
	if (a->cgroup)
		cgroup_join(a->cgroup);
	pages_map(&a->pages, nr, opt.seed);
	for (size_t i = 0; i < nr; i++)
		page_fill(&a->pages, i, i + 1);
	pages_advise(&a->pages, 0, nr, MADV_MERGEABLE);
	return (long)a->pages.mem;
}

static long verify(const struct actor *a)
{
	return pages_wrong(&a->pages, a->first, a->pages.nr);
}

static void write_some(struct actor *a, size_t nr)
{
	while (nr--)
		page_patch(&a->pages, a->first + next_random(&a->rnd) % (a->pages.nr - a->first),
			   &a->rnd);
}

static void unmap(struct actor *a, size_t nr)
{
	if (munmap(a->pages.mem, nr * page_size()))
		die("munmap: %s", strerror(errno));
	a->first = nr;
}

static void discard(struct actor *a, size_t nr)
{
	pages_advise(&a->pages, 0, nr, MADV_DONTNEED);
	for (size_t i = 0; i < nr; i++)
		a->pages.want[i] = (struct page_want){ .id = 0, .word = NO_PATCH };
}

static long move(struct actor *a)
{
	size_t bytes = a->pages.nr * page_size();
	/* Somewhere else for sure: where another mapping just was. */
	void *to = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to != MAP_FAILED)
		to = mremap(a->pages.mem, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to == MAP_FAILED)
		die("mremap: %s", strerror(errno));
	a->pages.mem = to;
	return (long)to;
}

static void protect(struct actor *a)
{
	size_t bytes = a->pages.nr * page_size();

	if (mprotect(a->pages.mem, bytes, PROT_READ) ||
	    mprotect(a->pages.mem, bytes, PROT_READ | PROT_WRITE))
		die("mprotect: %s", strerror(errno));
}

static void reap(struct actor *a)
{
	int status;

	if (waitpid(a->child, &status, 0) != a->child || status)
		die("forked child %d saw wrong content or died (status %#x)", a->child, status);
	a->child = 0;
}

/* Fork a child that waits for a count of writes, does them on its copy, compares and ends. */
static void fork_waiting(struct actor *a)
{
	long writes;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	a->child = fork();
	if (a->child < 0)
		die("fork: %s", strerror(errno));
	if (!a->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (read(fds[0], &writes, sizeof(writes)) != sizeof(writes))
			_exit(1);
		a->rnd += 12345;
		write_some(a, writes);
		_exit(verify(a) ? 1 : 0);
	}
	close(fds[0]);
	a->wake = fds[1];
}

static void let_child_write(struct actor *a, long writes)
{
	if (write(a->wake, &writes, sizeof(writes)) != sizeof(writes))
		die("forked child %d is gone", a->child);
	close(a->wake);
}

long actor_serve(void *ctx, int cmd, long arg)
{
	struct actor *a = ctx;

	switch (cmd) {
	case 'f':
		return fill(a, arg);
	case 'v':
		return verify(a);
	case 'w':
		write_some(a, arg);
		return 0;
	case 'u':
		pages_advise(&a->pages, 0, arg, MADV_UNMERGEABLE);
		return 0;
	case 'd':
		unmap(a, arg);
		return 0;
	case 'z':
		discard(a, arg);
		return 0;
	case 'r':
		for (long i = 0; i < arg; i++)
			page_fill(&a->pages, i, i + 1);
		return 0;
	case 'x':
		return move(a);
	case 'l':
		if (mlock(a->pages.mem, a->pages.nr * page_size()))
			die("mlock: %s", strerror(errno));
		return 0;
	case 'p':
		protect(a);
		return 0;
	case 'K':
		fork_waiting(a);
		return a->child;
	case 'j':
		let_child_write(a, arg);
		reap(a);
		return 0;
	case 'k':
		fork_waiting(a);
		let_child_write(a, arg);
		write_some(a, arg);
		reap(a);
		return 0;
	}
	die("unknown command %c", cmd);
}
