// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that goes offline. While it does, KSM pauses and writers of its files wait; when it has
 * gone, or stays after all, KSM goes on, and merged pages that had to move are where they belong.
 *
 * A pinned page keeps a block of memory going offline for as long as the test likes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/trials.h"

#define PAGES 256
#define BLOCKS_DIR "/sys/devices/system/memory"
/* Enough to have a page in every block that the kernel itself does not sit in. */
#define SPREAD_BYTES (400UL << 20)

static unsigned long block_pages(void)
{
	static unsigned long bytes;
	FILE *f;

	if (bytes)
		return bytes / page_size();
	f = fopen(BLOCKS_DIR "/block_size_bytes", "r");
	if (!f || fscanf(f, "%lx", &bytes) != 1)
		die(BLOCKS_DIR "/block_size_bytes: %s", strerror(errno));
	fclose(f);
	return bytes / page_size();
}

/* 0 or -errno: returns when the kernel has decided. */
static int block_set(unsigned long block, const char *state)
{
	char path[96];
	int fd, err = 0;

	snprintf(path, sizeof(path), BLOCKS_DIR "/memory%lu/state", block);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, state, strlen(state)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static pid_t in_background(int (*act)(unsigned long arg), unsigned long arg)
{
	pid_t pid = fork_child();

	if (!pid)
		_exit(-act(arg));
	return pid;
}

/* How it ended: 0, -errno, or -EINTR when a signal ended it. */
static int end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waiting for %d: %s", pid, strerror(errno));
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static char process_state(pid_t pid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return state;
}

static int offline(unsigned long block)
{
	return block_set(block, "offline");
}

static int clear_run(unsigned long unused)
{
	return ksm_write(opt.backend, "run", KSM_RUN_UNMERGE);
}

/* ---- a block that cannot finish going offline ---- */

#define MAX_BLOCKS 1024

/* A page of this process in each block that it has been given one in. */
static void *page_of[MAX_BLOCKS];

/* Touch enough memory to have some everywhere, and keep a page of each block: the rest is free. */
static void spread_out(void)
{
	size_t nr = SPREAD_BYTES / page_size();
	char *mem = mmap(NULL, SPREAD_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint64_t *entries = calloc(nr, sizeof(*entries));

	if (mem == MAP_FAILED || !entries)
		die("mmap: %s", strerror(errno));
	if (pagemap_read(getpid(), (uintptr_t)mem, nr, entries))
		die("cannot read pagemap");
	for (size_t i = 0; i < nr; i++) {
		unsigned long block = entry_pfn(entries[i]) / block_pages();

		if (entry_pfn(entries[i]) && block < MAX_BLOCKS && !page_of[block])
			page_of[block] = mem + i * page_size();
		else if (madvise(mem + i * page_size(), page_size(), MADV_DONTNEED))
			die("madvise: %s", strerror(errno));
	}
	free(entries);
}

static int pin(void *page)
{
	struct io_uring_params params = { 0 };
	struct iovec iov = { .iov_base = page, .iov_len = page_size() };
	int fd = syscall(SYS_io_uring_setup, 4, &params);

	if (fd < 0 || syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &iov, 1))
		die("pinning a page: %s", strerror(errno));
	return fd;
}

static bool decided(void *arg)
{
	pid_t pid = *(pid_t *)arg;

	return process_state(pid) == 'Z' ||
	       ksm_read(&backends[BACKEND_KERNEL], "run") & KSM_RUN_OFFLINE;
}

/**
 * struct held - a block on its way offline
 * @block: which
 * @ring: what pins a page of it
 * @pid: who waits for it to go
 */
struct held {
	unsigned long block;
	int ring;
	pid_t pid;
};

/* Whether the block is on its way; it is not when something else in it cannot be moved. */
static bool try_hold(struct held *h, void *page)
{
	h->block = own_pfn(page) / block_pages();
	h->ring = pin(page);
	h->pid = in_background(offline, h->block);
	if (!wait_for(opt.timeout, decided, &h->pid))
		die("block %lu neither goes offline nor stays", h->block);
	if (process_state(h->pid) != 'Z')
		return true;
	close(h->ring);
	end_of(h->pid);
	return false;
}

static void hold(struct held *h)
{
	for (unsigned long block = MAX_BLOCKS; block-- > 0;) {
		if (page_of[block] && try_hold(h, page_of[block]))
			return;
	}
	die("no block of memory can go offline");
}

/* It stays after all. */
static void let_go(struct held *h)
{
	int err;

	kill(h->pid, SIGKILL);
	err = end_of(h->pid);
	if (err != -EINTR)
		die("going offline ended with %d", err);
	close(h->ring);
}

static bool is_waiting(void *arg)
{
	return process_state(*(pid_t *)arg) == 'D';
}

static void expect_run(long expected, const char *when)
{
	long run = ksm_read(opt.backend, "run");

	if (run != expected)
		die("%s: run is %ld, expected %ld", when, run, expected);
}

static const char *held_back(void)
{
	struct held h;
	struct sets s;
	pid_t writer;
	int err;

	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merged");
	/* Nobody wakes the scanner but the end of the pause. */
	hold(&h);
	expect_run(KSM_RUN_MERGE | KSM_RUN_OFFLINE, "memory goes offline");
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < PAGES; i++)
			page_fill(&s.p[k], i, 1000 + i);
	}
	let_go(&h);
	sets_wait(&s, PAGES, "after memory did not go offline");
	expect_run(KSM_RUN_MERGE, "memory did not go offline");

	hold(&h);
	writer = in_background(clear_run, 0);
	if (!wait_for(opt.timeout, is_waiting, &writer))
		die("run=2 does not wait while memory goes offline (state %c)",
		    process_state(writer));
	sets_expect(&s, PAGES, "run=2 waits");
	let_go(&h);
	err = end_of(writer);
	if (err)
		die("run=2 that had to wait: %s", strerror(-err));
	sets_expect(&s, 2 * PAGES, "run=2 after it had waited");
	sets_merge(&s, PAGES, "merged again");
	sets_unmap(&s);
	return NULL;
}

/* ---- a block that goes ---- */

struct going {
	unsigned long block;
	int err;
};

static bool has_gone(void *arg)
{
	struct going *g = arg;

	g->err = offline(g->block);
	return !g->err;
}

static size_t pages_in(const struct sets *s, unsigned long block)
{
	size_t found = 0;

	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 0; i < s->p[k].nr; i++)
			found += own_pfn(page_at(&s->p[k], i)) / block_pages() == block;
	}
	return found;
}

/* The block that can go is found by holding it; then KSM pages are made there, and it goes. */
static const char *gone(void)
{
	struct going g;
	struct held h;
	struct sets s;
	int err;

	hold(&h);
	g.block = h.block;
	let_go(&h);
	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "merged");
	say("  %zu of %d pages in block %lu", pages_in(&s, g.block), 2 * PAGES, g.block);
	if (!wait_for(opt.timeout, has_gone, &g))
		die("block %lu does not go offline: %s", g.block, strerror(-g.err));
	if (pages_in(&s, g.block))
		die("block %lu is offline and has pages", g.block);
	sets_stay(&s, PAGES, "a block went offline");
	for (size_t i = 0; i < PAGES; i++) {
		page_fill(&s.p[0], i, 2000 + i);
		page_fill(&s.p[1], i, 2000 + i);
	}
	sets_wait(&s, PAGES, "written after a block went offline");
	err = block_set(g.block, "online");
	if (err)
		die("block %lu does not come back: %s", g.block, strerror(-err));
	sets_stay(&s, PAGES, "the block is back");
	sets_unmap(&s);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "held-back", held_back, 0 },
		{ "gone", gone, 0 },
		{ 0 },
	};

	spread_out();
	return trials_main(argc, argv, trials, "Let memory go offline under KSM.");
}
