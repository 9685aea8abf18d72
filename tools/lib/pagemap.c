// SPDX-License-Identifier: GPL-2.0
#include "lib/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/util.h"

struct walk {
	struct ksm_mapping map;
	bool open;
	int (*fn)(const struct ksm_mapping *map, void *ctx);
	void *ctx;
};

/* "7f00-7f10 rw-p 00000000 00:00 0    name" */
static bool parse_header(const char *line, struct ksm_mapping *map)
{
	uint64_t start, end;
	int at = 0;

	/* the lines that follow a header begin with a capital */
	if (*line >= 'A' && *line <= 'Z')
		return false;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &start, &end, &at) != 2)
		return false;
	memset(map, 0, sizeof(*map));
	map->start = start;
	map->end = end;
	if (at)
		ksm_copy(map->name, sizeof(map->name), line + at);
	return true;
}

static void parse_size(const char *line, struct ksm_mapping *map)
{
	static const struct {
		const char *name;
		size_t offset;
	} fields[] = {
		{ "Size:", offsetof(struct ksm_mapping, size) },
		{ "Rss:", offsetof(struct ksm_mapping, rss) },
		{ "Anonymous:", offsetof(struct ksm_mapping, anonymous) },
		{ "AnonHugePages:", offsetof(struct ksm_mapping, anon_huge) },
		{ "Shared_Hugetlb:", offsetof(struct ksm_mapping, hugetlb) },
		{ "Private_Hugetlb:", offsetof(struct ksm_mapping, hugetlb) },
		{ "KSM:", offsetof(struct ksm_mapping, ksm) },
	};
	uint64_t kib;

	for (size_t i = 0; i < KSM_ARRAY_SIZE(fields); i++) {
		size_t len = strlen(fields[i].name);

		if (!strncmp(line, fields[i].name, len) &&
		    sscanf(line + len, "%" SCNu64, &kib) == 1)
			*(uint64_t *)((char *)map + fields[i].offset) += kib * 1024;
	}
}

/* The letters of fs/proc/task_mmu.c; what excludes a mapping is what vma_ksm_compatible() asks. */
static void parse_flags(const char *line, struct ksm_mapping *map)
{
	static const struct {
		const char *letters;
		uint32_t flag;
	} known[] = {
		{ " rd", KSM_MAP_READABLE }, { " mg", KSM_MAP_MERGEABLE },
		{ " sh", KSM_MAP_SHARED },   { " ms", KSM_MAP_SHARED },
		{ " ht", KSM_MAP_HUGETLB },  { " pf", KSM_MAP_SPECIAL },
		{ " io", KSM_MAP_SPECIAL },  { " de", KSM_MAP_SPECIAL },
		{ " mm", KSM_MAP_SPECIAL },  { " dp", KSM_MAP_SPECIAL },
	};

	for (size_t i = 0; i < KSM_ARRAY_SIZE(known); i++)
		if (strstr(line, known[i].letters))
			map->flags |= known[i].flag;
}

static int smaps_line(const char *line, void *ctx)
{
	struct walk *w = ctx;
	struct ksm_mapping next;

	if (parse_header(line, &next)) {
		int ret = w->open ? w->fn(&w->map, w->ctx) : 0;

		w->map = next;
		w->open = true;
		return ret;
	}
	if (!strncmp(line, "VmFlags:", 8))
		parse_flags(line, &w->map);
	else
		parse_size(line, &w->map);
	return 0;
}

int ksm_mappings_each(const struct ksm_io *io, pid_t pid,
		      int (*fn)(const struct ksm_mapping *map, void *ctx), void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	ret = ksm_io_each_line(io, path, smaps_line, &w);
	return ret || !w.open ? ret : fn(&w.map, ctx);
}

int ksm_pagemap_open(const struct ksm_io *io, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	return ksm_io_open(io, path, O_RDONLY);
}

ssize_t ksm_pagemap_read(int fd, uint64_t address, uint64_t *entries, size_t count)
{
	off_t at = (off_t)(address / (uint64_t)ksm_page_size() * sizeof(*entries));
	ssize_t n;

	do {
		n = pread(fd, entries, count * sizeof(*entries), at);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n / (ssize_t)sizeof(*entries);
}

uint64_t ksm_zero_pfn(const struct ksm_io *io)
{
	size_t size = (size_t)ksm_page_size();
	volatile unsigned char *page =
		mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t entry = 0;
	int fd;

	if (page == MAP_FAILED)
		return 0;
	fd = ksm_pagemap_open(io, getpid());
	(void)*page; /* a read fault maps the page of zeroes */
	if (fd < 0 || ksm_pagemap_read(fd, (uintptr_t)page, &entry, 1) != 1)
		entry = 0;
	if (fd >= 0)
		close(fd);
	munmap((void *)page, size);
	return entry & KSM_PM_PRESENT ? entry & KSM_PM_PFN : 0;
}
