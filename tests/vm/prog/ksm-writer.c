// SPDX-License-Identifier: GPL-2.0
/*
 * A process whose COW breaks are known: it fills memory that another one of it fills the same way,
 * and when told (SIGUSR1) writes to each page, half of them itself and half through the kernel, as
 * read() does. A page behind which another frame appears was broken; it says how many were.
 * SIGUSR2: no page is mergeable any more. SIGTERM: done.
 *
 * Touches nothing but its own memory, so it may run on a machine that is somebody's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/lib.h"

#define SEED 1

static size_t nr = 2048;
static bool zero, spliced;

static const struct argp_option options[] = {
	{ "pages", 'n', "N", 0, "pages (default: 2048)", 0 },
	{ "zero", 'z', NULL, 0, "pages of zeroes", 0 },
	{ "pipe", 'p', NULL, 0, "a pipe holds the pages as well: they cannot be merged", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key == 'z')
		zero = true;
	else if (key == 'p')
		spliced = true;
	else if (key != 'n')
		return ARGP_ERR_UNKNOWN;
	else
		nr = arg_number(state, "--pages", arg, 2, 1 << 20);
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Fill memory, tell of COW breaks of one's own.",
};

/* Another word than was there, written by the kernel. */
static void write_by_kernel(void *to)
{
	static int source = -1;

	if (source < 0)
		source = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (source < 0 || read(source, to, sizeof(uint64_t)) != sizeof(uint64_t))
		die("/dev/urandom: %s", strerror(errno));
}

static void write_all(struct pages *pages)
{
	long breaks = 0;

	for (size_t i = 0; i < pages->nr; i++) {
		unsigned char *page = page_at(pages, i);
		uint64_t before = own_pfn(page);

		if (i % 2)
			write_by_kernel(page);
		else
			++*(volatile uint64_t *)page;
		breaks += own_pfn(page) != before;
	}
	say("breaks=%ld", breaks);
}

static void into_pipe(const struct pages *pages)
{
	struct iovec iov = { .iov_base = pages->mem, .iov_len = pages->nr * page_size() };
	int fds[2];

	if (pipe(fds) || fcntl(fds[1], F_SETPIPE_SZ, iov.iov_len) < 0)
		die("a pipe of %zu pages: %s", pages->nr, strerror(errno));
	if (vmsplice(fds[1], &iov, 1, SPLICE_F_NONBLOCK) != (ssize_t)iov.iov_len)
		die("vmsplice of %zu pages: %s", pages->nr, strerror(errno));
}

int main(int argc, char **argv)
{
	struct pages pages;
	sigset_t set;
	int sig;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pages_map(&pages, nr, SEED);
	/* The kernel finds huge pages of zeroes by itself. */
	if (zero)
		pages_advise(&pages, 0, nr, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < nr; i++) {
		if (zero)
			*(volatile unsigned char *)page_at(&pages, i) = 0;
		else
			page_fill(&pages, i, i + 1);
	}
	if (spliced)
		into_pipe(&pages);
	pages_advise(&pages, 0, nr, MADV_MERGEABLE);
	say("pages=%zu", nr);
	while (!sigwait(&set, &sig) && sig != SIGTERM) {
		if (sig == SIGUSR1) {
			write_all(&pages);
		} else {
			pages_advise(&pages, 0, nr, MADV_UNMERGEABLE);
			say("unmerged=%zu", nr);
		}
	}
	return 0;
}
