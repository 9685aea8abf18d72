// SPDX-License-Identifier: GPL-2.0
/* What the checks look at: the backend's files, and every process's memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ksmctl/doctor.h"
#include "lib/pagemap.h"

static int add_mapping(const struct ksm_mapping *map, void *ctx)
{
	struct doctor_proc *p = ctx;

	if (map->flags & KSM_MAP_HUGETLB) {
		p->hugetlb += map->hugetlb;
	} else if (map->flags & KSM_MAP_SHARED) {
		p->shared += map->rss;
	} else if (map->flags & KSM_MAP_MERGEABLE) {
		p->marked += map->size;
		p->marked_anon += map->anonymous;
		p->marked_huge += map->anon_huge;
	} else if (!(map->flags & KSM_MAP_SPECIAL)) {
		p->plain_anon += map->anonymous;
	}
	return 0;
}

static ssize_t read_proc(const struct doctor *doc, pid_t pid, const char *file, char *buf,
			 size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return ksm_io_read(doc->io, path, buf, size);
}

/* Does one of the arguments hold this text? */
static bool told(const char *cmdline, ssize_t len, const char *text)
{
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(cmdline + at) + 1)
		if (strstr(cmdline + at, text))
			return true;
	return false;
}

static void identify(const struct doctor *doc, struct doctor_proc *p)
{
	char text[8192], *line;
	unsigned int mode;
	ssize_t len;

	if (read_proc(doc, p->pid, "comm", text, sizeof(text)) > 0) {
		ksm_chomp(text);
		ksm_copy(p->comm, sizeof(p->comm), text);
	}
	if (read_proc(doc, p->pid, "status", text, sizeof(text)) > 0) {
		line = strstr(text, "\nSeccomp:");
		p->seccomp = line && sscanf(line, "\nSeccomp: %u", &mode) == 1 && mode;
	}
	if (!ksm_guest_name(doc->io, p->pid, p->guest, sizeof(p->guest)))
		return;
	len = read_proc(doc, p->pid, "cmdline", text, sizeof(text));
	p->no_merge = told(text, len, "mem-merge=off") || told(text, len, "merge=off");
}

static void add_up(struct doctor_proc *sum, const struct doctor_proc *p)
{
	sum->marked += p->marked;
	sum->marked_anon += p->marked_anon;
	sum->marked_huge += p->marked_huge;
	sum->plain_anon += p->plain_anon;
	sum->shared += p->shared;
	sum->hugetlb += p->hugetlb;
}

static int look_at(pid_t pid, void *ctx)
{
	struct doctor *doc = ctx;
	struct doctor_proc p = { .pid = pid }, *rows;
	size_t capacity = doc->memory_capacity ? doc->memory_capacity * 2 : 64;

	/* gone, not ours to read, or a kernel thread */
	if (ksm_mappings_each(doc->io, pid, add_mapping, &p))
		return 0;
	if (!p.marked && !p.plain_anon && !p.shared && !p.hugetlb)
		return 0;
	identify(doc, &p);
	if (doc->memory_count == doc->memory_capacity) {
		rows = reallocarray(doc->memory, capacity, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		doc->memory = rows;
		doc->memory_capacity = capacity;
	}
	doc->memory[doc->memory_count++] = p;
	add_up(&doc->sum, &p);
	return 0;
}

struct lookup {
	const char *key;
	uint64_t value;
};

static int find_key(const char *line, void *ctx)
{
	struct lookup *l = ctx;
	size_t len = strlen(l->key);

	return !strncmp(line, l->key, len) && sscanf(line + len, "%" SCNu64, &l->value) == 1;
}

uint64_t doctor_number(const struct doctor *doc, const char *path, const char *key)
{
	struct lookup l = { .key = key };

	return ksm_io_each_line(doc->io, path, find_key, &l) == 1 ? l.value : 0;
}

/*
 * Breaks and swap-in copies a second while merging runs. Totals since the machine was started would
 * not do: they count what unmerging gave back, too, and a storm of now drowns in the average of
 * weeks.
 */
static void measure_rates(struct doctor *doc)
{
	const struct timespec window = { .tv_nsec = 300000000 };
	uint64_t start = ksm_monotonic_ns(), breaks, copies, dt;

	doc->cow_rate = doc->swapin_rate = -1;
	if (!doc->b || doc->b->fake || !(doctor_value(doc, KSM_ABI_RUN) & KSM_RUN_MERGE) ||
	    !ksm_io_exists(doc->io, "/proc/vmstat"))
		return;
	breaks = doctor_number(doc, "/proc/vmstat", "cow_ksm ");
	copies = doctor_number(doc, "/proc/vmstat", "ksm_swpin_copy ");
	nanosleep(&window, NULL);
	dt = ksm_monotonic_ns() - start;
	doc->cow_rate = ksm_rate(breaks, doctor_number(doc, "/proc/vmstat", "cow_ksm "), dt);
	doc->swapin_rate =
		ksm_rate(copies, doctor_number(doc, "/proc/vmstat", "ksm_swpin_copy "), dt);
}

int doctor_collect(struct doctor *doc, struct ksm_error *err)
{
	int ret = doc->b ? ksm_backend_read(doc->b, &doc->s, err) : 0;

	if (ret)
		return ret;
	if (doc->b)
		ksm_derive(&doc->s, &doc->d);
	doc->procs_error = ksm_procs_read(doc->io, &doc->procs, 0);
	ret = ksm_io_each_pid(doc->io, look_at, doc);
	if (ret == -ENOMEM)
		return ksm_error_set(err, ret, "out of memory");
	measure_rates(doc);
	return 0;
}

void doctor_free(struct doctor *doc)
{
	ksm_procs_free(&doc->procs);
	free(doc->memory);
	doc->memory = NULL;
	doc->memory_count = doc->memory_capacity = 0;
}
