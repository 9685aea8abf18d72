// SPDX-License-Identifier: GPL-2.0
#include "lib/procs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/backend.h"
#include "lib/pagemap.h"

struct pass {
	const struct ksm_io *io;
	struct ksm_procs *p;
	unsigned int flags;
	uint32_t had; /* KSM_PROC_* that any process told */
	int denied_code;
};

static ssize_t read_proc(const struct pass *pass, pid_t pid, const char *file, char *buf,
			 size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return ksm_io_read(pass->io, path, buf, size);
}

/* Lines "name value"; 6.18 adds "name: word" lines, which are not ours. */
static void parse_stat(struct ksm_proc *row, char *text)
{
	char name[40], *save = NULL;
	int64_t value;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%39s %" SCNd64, name, &value) != 2 || value < 0)
			continue;
		if (!strcmp(name, "ksm_rmap_items")) {
			row->rmap_items = (uint64_t)value;
			row->present |= KSM_PROC_RMAP_ITEMS;
		} else if (!strcmp(name, "ksm_merging_pages")) {
			row->merging_pages = (uint64_t)value;
			row->present |= KSM_PROC_MERGING;
		} else if (!strcmp(name, "ksm_zero_pages")) {
			row->zero_pages = (uint64_t)value;
			row->present |= KSM_PROC_ZERO_PAGES;
		}
	}
}

/* 6.1 has the merged pages in a file of their own. Return: 0 or negative errno. */
static int read_counters(const struct pass *pass, struct ksm_proc *row)
{
	char text[512];
	ssize_t stat = read_proc(pass, row->tgid, "ksm_stat", text, sizeof(text));
	ssize_t len;

	if (stat > 0)
		parse_stat(row, text);
	if (row->present & KSM_PROC_MERGING)
		return 0;
	len = read_proc(pass, row->tgid, "ksm_merging_pages", text, sizeof(text));
	if (len > 0) {
		ksm_chomp(text);
		if (!ksm_parse_u64(text, &row->merging_pages))
			row->present |= KSM_PROC_MERGING;
	}
	if (stat >= 0 || len >= 0)
		return 0;
	return (int)(stat != -ENOENT ? stat : len);
}

static void read_identity(const struct pass *pass, struct ksm_proc *row)
{
	char text[2048], *line;
	unsigned int uid;

	if (read_proc(pass, row->tgid, "comm", text, sizeof(text)) > 0) {
		ksm_chomp(text);
		ksm_copy(row->comm, sizeof(row->comm), text);
	}
	if (read_proc(pass, row->tgid, "status", text, sizeof(text)) < 0)
		return;
	line = strstr(text, "\nUid:");
	if (line && sscanf(line, "\nUid: %*u %u", &uid) == 1) {
		row->uid = uid;
		row->present |= KSM_PROC_UID;
	}
}

static int add_mergeable(const struct ksm_mapping *map, void *ctx)
{
	struct ksm_proc *row = ctx;

	if (map->flags & KSM_MAP_MERGEABLE) {
		row->mergeable_bytes += map->size;
		row->mergeable_anon += map->anonymous;
	}
	return 0;
}

static void read_mergeable(const struct pass *pass, struct ksm_proc *row)
{
	if (ksm_mappings_each(pass->io, row->tgid, add_mergeable, row)) {
		row->mergeable_bytes = row->mergeable_anon = 0;
		return;
	}
	row->present |= KSM_PROC_MERGEABLE;
}

static int add_row(struct ksm_procs *p, const struct ksm_proc *row)
{
	size_t capacity = p->capacity ? p->capacity * 2 : 64;
	struct ksm_proc *rows;

	if (p->count == p->capacity) {
		rows = reallocarray(p->rows, capacity, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		p->rows = rows;
		p->capacity = capacity;
	}
	p->rows[p->count++] = *row;
	return 0;
}

static int look_at(pid_t pid, void *ctx)
{
	struct pass *pass = ctx;
	struct ksm_proc row = { .tgid = pid };
	int ret = read_counters(pass, &row);

	pass->p->seen++;
	if (ret == -EACCES || ret == -EPERM) {
		pass->p->denied++;
		pass->denied_code = ret;
		return 0;
	}
	pass->had |= row.present;
	if (pass->flags & KSM_PROCS_MERGEABLE)
		read_mergeable(pass, &row);
	if (!(pass->flags & KSM_PROCS_ALL) && !row.merging_pages && !row.rmap_items &&
	    !row.zero_pages && !row.mergeable_bytes)
		return 0;
	read_identity(pass, &row);
	/* gone meanwhile */
	if (!row.comm[0])
		return 0;
	return add_row(pass->p, &row);
}

int64_t ksm_proc_profit(const struct ksm_proc *row)
{
	return (int64_t)(row->merging_pages + row->zero_pages) * ksm_page_size() -
	       (int64_t)row->rmap_items * KSM_RMAP_ITEM_BYTES;
}

static int by_profit(const void *a, const void *b)
{
	const struct ksm_proc *x = a, *y = b;
	int64_t px = ksm_proc_profit(x), py = ksm_proc_profit(y);

	if (px != py)
		return px < py ? 1 : -1;
	return x->tgid < y->tgid ? -1 : x->tgid > y->tgid;
}

static void explain(struct pass *pass)
{
	struct ksm_procs *p = pass->p;

	p->absent = (KSM_PROC_MERGING | KSM_PROC_RMAP_ITEMS | KSM_PROC_ZERO_PAGES) & ~pass->had;
	p->reason[0] = '\0';
	if (p->denied)
		snprintf(p->reason, sizeof(p->reason),
			 "%zu of %zu processes not readable (%s): run as root", p->denied, p->seen,
			 strerror(-pass->denied_code));
	else if (p->absent & KSM_PROC_MERGING)
		snprintf(p->reason, sizeof(p->reason),
			 "this kernel tells nothing of KSM in /proc/PID (6.1 and later do)");
	else if (p->absent & KSM_PROC_ZERO_PAGES)
		snprintf(p->reason, sizeof(p->reason),
			 "this kernel does not tell zero pages per process (6.12 does)");
}

int ksm_procs_read(const struct ksm_io *io, struct ksm_procs *p, unsigned int flags)
{
	struct pass pass = { .io = io, .p = p, .flags = flags };
	int ret;

	p->count = p->seen = p->denied = 0;
	ret = ksm_io_each_pid(io, look_at, &pass);
	if (ret)
		return ret;
	if (p->count)
		qsort(p->rows, p->count, sizeof(*p->rows), by_profit);
	explain(&pass);
	return 0;
}

static int meminfo_line(const char *line, void *ctx)
{
	uint64_t kib, *bytes = ctx;

	if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) != 1)
		return 0;
	*bytes = kib * 1024;
	return 1;
}

int ksm_mem_available(const struct ksm_io *io, uint64_t *bytes)
{
	int ret = ksm_io_each_line(io, "/proc/meminfo", meminfo_line, bytes);

	if (ret < 0)
		return ret;
	return ret ? 0 : -ENOENT;
}

void ksm_procs_free(struct ksm_procs *p)
{
	free(p->rows);
	memset(p, 0, sizeof(*p));
}
