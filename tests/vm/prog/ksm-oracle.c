// SPDX-License-Identifier: GPL-2.0
/*
 * How much of what processes marked mergeable really shares frames, read from their page tables
 * and not from any counter of a KSM.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/lib.h"

#define KPF_ZERO_PAGE 24

struct config {
	unsigned long at_least;
	char **pids;
	int nr_pids;
};

static struct config config = { .at_least = 0 };

static const struct argp_option options[] = {
	{ "at-least", 'a', "PAGES", 0, "exit 1 when fewer pages share a frame (default: 0)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'a':
		config.at_least = arg_number(state, "--at-least", arg, 0, 1UL << 40);
		return 0;
	case ARGP_KEY_ARGS:
		config.pids = state->argv + state->next;
		config.nr_pids = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which processes? give their PIDs");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "PID...",
	.doc = "Count the frames behind the mergeable memory of processes.",
};

/**
 * struct entries - a growing list of pagemap entries
 * @list: the entries
 * @nr: how many
 * @pid: whose are being added
 */
struct entries {
	uint64_t *list;
	size_t nr;
	pid_t pid;
};

static void add_range(void *arg, uintptr_t from, uintptr_t to)
{
	size_t nr = (to - from) / page_size();
	struct entries *e = arg;
	int err;

	e->list = reallocarray(e->list, e->nr + nr, sizeof(*e->list));
	if (!e->list)
		die("no memory for %zu pagemap entries", e->nr + nr);
	err = pagemap_read(e->pid, from, nr, e->list + e->nr);
	if (err)
		die("pagemap of %d: %s", e->pid, strerror(-err));
	e->nr += nr;
}

static void add_process(struct entries *e, pid_t pid)
{
	e->pid = pid;
	each_marked(pid, add_range, e);
}

/* The kernel's zero page is shared by everybody who only read: that is no merging. */
static void drop_zero_page(struct entries *e)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t flags;

	if (fd < 0)
		die("/proc/kpageflags: %s", strerror(errno));
	for (size_t i = 0; i < e->nr; i++) {
		uint64_t pfn = entry_pfn(e->list[i]);

		if (pfn && pread(fd, &flags, sizeof(flags), pfn * sizeof(flags)) != sizeof(flags))
			die("/proc/kpageflags of frame %llu: %s", (unsigned long long)pfn,
			    strerror(errno));
		if (pfn && (flags >> KPF_ZERO_PAGE & 1))
			e->list[i] = 0;
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct entries e = { 0 };
	struct frames seen;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	for (int i = 0; i < config.nr_pids; i++) {
		char *end;
		long pid = strtol(config.pids[i], &end, 10);

		if (*end || pid <= 0)
			die("'%s' is not a PID", config.pids[i]);
		add_process(&e, pid);
	}
	drop_zero_page(&e);
	frames_count(e.list, e.nr, &seen);
	say("processes=%d mapped=%zu frames=%zu sharing=%zu saved=%zu largest=%zu", config.nr_pids,
	    seen.mapped, seen.distinct, seen.sharing, seen.mapped - seen.distinct, seen.largest);
	if (seen.sharing < config.at_least)
		die("%zu pages share a frame, at least %lu expected", seen.sharing,
		    config.at_least);
	return 0;
}
