// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is unplugged: a module of 256 MiB is plugged in, gets merged pages, and is pulled out
 * again. Nodes that still point there must be gone with it: nobody may look at those frames. The
 * machine's operator is QEMU's monitor, which the lab gives the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/trials.h"

#define PAGES 512
#define MONITOR "/dev/vport0p5"
#define BLOCKS_DIR "/sys/devices/system/memory"
#define MAX_BLOCKS 64

/* ---- the operator ---- */

static int monitor = -1;

/* One line of the monitor's, without its end. */
static void hear(char *line, size_t size)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = read(monitor, line + len, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the monitor is silent: %s", n ? strerror(errno) : "closed");
		if (line[len] == '\n')
			break;
		if (len + 2 < size && line[len] != '\r')
			len++;
	}
	line[len] = '\0';
}

/* Whether it obeyed; @line holds its answer. */
static bool try_ask(const char *command, char *line, size_t size)
{
	if (write(monitor, command, strlen(command)) != (ssize_t)strlen(command))
		die("the monitor does not listen: %s", strerror(errno));
	do {
		/* Greetings and events come between. */
		hear(line, size);
		if (!strncmp(line, "{\"error\"", 8))
			return false;
	} while (strncmp(line, "{\"return\"", 9));
	return true;
}

static void ask(const char *command)
{
	char line[4096];

	if (!try_ask(command, line, sizeof(line)))
		die("the monitor: %s: %s", command, line);
}

static void operator_begin(void)
{
	char line[4096];

	if (monitor >= 0)
		return;
	monitor = open(MONITOR, O_RDWR | O_CLOEXEC);
	if (monitor < 0)
		die(MONITOR ": %s (tests/vm/run --qmp)", strerror(errno));
	/* Refused when a program before this one said so already. */
	try_ask("{\"execute\": \"qmp_capabilities\"}\n", line, sizeof(line));
}

/* ---- the blocks of the module ---- */

static unsigned long block_pages(void)
{
	unsigned long bytes = 0;
	FILE *f = fopen(BLOCKS_DIR "/block_size_bytes", "r");

	if (!f || fscanf(f, "%lx", &bytes) != 1)
		die(BLOCKS_DIR "/block_size_bytes: %s", strerror(errno));
	fclose(f);
	return bytes / page_size();
}

static bool block_exists(unsigned long block)
{
	char path[96];

	snprintf(path, sizeof(path), BLOCKS_DIR "/memory%lu", block);
	return !access(path, F_OK);
}

static bool block_online(unsigned long block)
{
	char path[96], state[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), BLOCKS_DIR "/memory%lu/state", block);
	f = fopen(path, "r");
	if (f && fscanf(f, "%15s", state) != 1)
		*state = '\0';
	if (f)
		fclose(f);
	return !strcmp(state, "online");
}

/**
 * struct module - memory that can be unplugged
 * @before: blocks that were there without it
 * @first, @nr: its blocks
 */
struct module {
	bool before[MAX_BLOCKS];
	unsigned long first;
	unsigned long nr;
};

static bool is_there(void *arg)
{
	struct module *m = arg;

	m->nr = 0;
	for (unsigned long b = MAX_BLOCKS; b-- > 0;) {
		if (!m->before[b] && block_exists(b)) {
			m->first = b;
			m->nr++;
		}
	}
	return m->nr * block_pages() * page_size() == 256 << 20;
}

static bool is_online(void *arg)
{
	struct module *m = arg;

	for (unsigned long b = m->first; b < m->first + m->nr; b++) {
		if (!block_online(b))
			return false;
	}
	return true;
}

/* Nothing that cannot move may settle in new memory. */
static void want_movable(void)
{
	int fd = open(BLOCKS_DIR "/auto_online_blocks", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "online_movable", 14) != 14)
		die(BLOCKS_DIR "/auto_online_blocks: %s", strerror(errno));
	close(fd);
}

static void plug(struct module *m)
{
	for (unsigned long b = 0; b < MAX_BLOCKS; b++)
		m->before[b] = block_exists(b);
	want_movable();
	operator_begin();
	ask("{\"execute\": \"object-add\", \"arguments\": {\"qom-type\": "
	    "\"memory-backend-ram\", \"id\": \"more\", \"size\": 268435456}}\n");
	ask("{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"pc-dimm\", "
	    "\"id\": \"module\", \"memdev\": \"more\"}}\n");
	if (!wait_for(opt.timeout, is_there, m))
		die("%lu blocks of the new module appear", m->nr);
	if (!wait_for(opt.timeout, is_online, m))
		die("the new module does not go online");
}

static bool is_gone(void *arg)
{
	struct module *m = arg;

	for (unsigned long b = m->first; b < m->first + m->nr; b++) {
		if (block_exists(b))
			return false;
	}
	return true;
}

/* QEMU lets the device go a moment after the kernel has. */
static bool is_released(void *unused)
{
	char line[4096];

	return try_ask("{\"execute\": \"object-del\", \"arguments\": {\"id\": \"more\"}}\n", line,
		       sizeof(line));
}

/* The kernel may refuse while somebody holds a page: then it is asked again. */
static void unplug(struct module *m)
{
	for (int tries = 0; !is_gone(m); tries++) {
		if (tries > opt.timeout / 2)
			die("the module is not let go");
		ask("{\"execute\": \"device_del\", \"arguments\": {\"id\": \"module\"}}\n");
		wait_for(2, is_gone, m);
	}
	if (!wait_for(opt.timeout, is_released, NULL))
		die("QEMU does not release the memory of the module");
}

static size_t pages_in(const struct module *m, const struct sets *s)
{
	unsigned long from = m->first * block_pages(), to = from + m->nr * block_pages();
	size_t found = 0;

	for (int k = 0; k < s->nr; k++) {
		for (size_t i = 0; i < s->p[k].nr; i++) {
			uint64_t pfn = own_pfn(page_at(&s->p[k], i));

			found += pfn >= from && pfn < to;
		}
	}
	return found;
}

#define FILLER_BYTES (32UL << 20)
#define FILLERS_MAX 40

/* Map pages of which some are in the module: what the kernel gives before is used up. */
static void map_there(struct module *m, struct sets *s)
{
	void *fillers[FILLERS_MAX];
	int nr = 0;

	for (;;) {
		sets_map(s, 2, PAGES);
		if (pages_in(m, s) || nr == FILLERS_MAX)
			break;
		for (int k = 0; k < s->nr; k++)
			pages_unmap(&s->p[k]);
		fillers[nr] = mmap(NULL, FILLER_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (fillers[nr++] == MAP_FAILED)
			die("mmap: %s", strerror(errno));
	}
	while (nr-- > 0)
		munmap(fillers[nr], FILLER_BYTES);
}

static void merge_there(struct module *m, struct sets *s)
{
	map_there(m, s);
	sets_merge(s, PAGES, "merged");
	say("  %zu of %d pages in the module", pages_in(m, s), 2 * PAGES);
	if (!pages_in(m, s))
		die("no page is in the new module");
}

/* Merged pages have to leave. */
static const char *in_use(void)
{
	struct module m;
	struct sets s;

	plug(&m);
	merge_there(&m, &s);
	unplug(&m);
	sets_stay(&s, PAGES, "unplugged");
	sets_write(&s, 0, 0, PAGES / 2);
	sets_expect(&s, PAGES + PAGES / 2, "unplugged, then written");
	pages_advise(&s.p[1], 0, PAGES, MADV_UNMERGEABLE);
	sets_expect(&s, 2 * PAGES, "unplugged, then unmerged");
	sets_unmap(&s);
	return NULL;
}

/* Nobody maps the pages any more, and the scanner rests: only its nodes still point there. */
static const char *forgotten(void)
{
	struct module m;
	struct sets s, busy;

	plug(&m);
	merge_there(&m, &s);
	/* The scanner has something to do, but nothing that merges with what is forgotten. */
	sets_map(&busy, 1, 8);
	for (size_t i = 0; i < 8; i++)
		page_fill(&busy.p[0], i, 5000 + i);
	sets_advise(&busy, MADV_MERGEABLE);
	if (ksm_write(opt.backend, "run", 0))
		die("the scanner does not stop");
	for (int k = 0; k < s.nr; k++)
		pages_unmap(&s.p[k]);
	unplug(&m);
	ksm_full_speed(opt.backend);
	ksm_wait_items(opt.backend, 0, "unplugged and forgotten");
	sets_map(&s, 2, PAGES);
	sets_merge(&s, PAGES, "the same contents again");
	pages_unmap(&busy.p[0]);
	sets_unmap(&s);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct trial trials[] = {
		{ "in-use", in_use, 0 },
		{ "forgotten", forgotten, 0 },
		{ 0 },
	};

	return trials_main(argc, argv, trials, "Pull out memory that holds merged pages.");
}
