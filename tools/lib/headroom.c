// SPDX-License-Identifier: GPL-2.0
#include "lib/headroom.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cgroup.h"
#include "lib/format.h"

/* A cgroup with processes in or below it: how many pages of theirs are merged. */
struct group {
	char *path;
	uint64_t pages;
};

struct groups {
	struct group *rows;
	size_t count;
};

static void groups_free(struct groups *g)
{
	for (size_t i = 0; i < g->count; i++)
		free(g->rows[i].path);
	free(g->rows);
}

static int group_add(struct groups *g, const char *path, uint64_t pages)
{
	struct group *rows;

	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(g->rows[i].path, path))
			continue;
		g->rows[i].pages += pages;
		return 0;
	}
	rows = reallocarray(g->rows, g->count + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	g->rows = rows;
	rows[g->count].path = strdup(path);
	if (!rows[g->count].path)
		return -ENOMEM;
	rows[g->count++].pages = pages;
	return 0;
}

/* A limit binds everything below it: the pages count for the group and all above. */
static int add_process(const struct ksm_io *io, struct groups *g, const struct ksm_proc *row)
{
	char path[KSM_CGROUP_PATH_MAX], *slash;
	int ret;

	if (ksm_cgroup_read(io, row->tgid, path, sizeof(path)))
		return 0; /* gone, or no cgroups here */
	while ((slash = strrchr(path, '/')) && slash[1]) {
		ret = group_add(g, path, row->merging_pages + row->zero_pages);
		if (ret)
			return ret;
		*slash = '\0';
		if (slash == path)
			break;
	}
	return 0;
}

static int group_number(const struct ksm_io *io, const char *path, const char *file,
			uint64_t *value)
{
	char full[PATH_MAX + 64], text[32];

	snprintf(full, sizeof(full), KSM_ABI_CGROUP "%s/%s", path, file);
	if (ksm_io_read(io, full, text, sizeof(text)) < 0)
		return -ENOENT;
	ksm_chomp(text);
	return ksm_parse_u64(text, value); /* "max" is no number: no limit */
}

static int stat_line(const char *line, void *ctx)
{
	uint64_t *reclaimable = ctx, value;
	char name[40];

	if (sscanf(line, "%39s %" SCNu64, name, &value) == 2 &&
	    (!strcmp(name, "active_file") || !strcmp(name, "inactive_file") ||
	     !strcmp(name, "slab_reclaimable")))
		*reclaimable += value;
	return 0;
}

/* What the group may still take. Return: 0, or negative when it has no limit. */
static int group_available(const struct ksm_io *io, const char *path, uint64_t *available)
{
	uint64_t max, current, reclaimable = 0;
	char full[PATH_MAX + 64];

	if (group_number(io, path, "memory.max", &max) ||
	    group_number(io, path, "memory.current", &current))
		return -ENOENT;
	snprintf(full, sizeof(full), KSM_ABI_CGROUP "%s/memory.stat", path);
	ksm_io_each_line(io, full, stat_line, &reclaimable);
	current -= reclaimable < current ? reclaimable : current;
	*available = max > current ? max - current : 0;
	return 0;
}

static int64_t margin(const struct ksm_headroom *h)
{
	return (int64_t)h->available - h->need;
}

/* Keep the tightest place in @h, which holds the machine's figures. */
static void find_tightest(const struct ksm_io *io, const struct groups *g, struct ksm_headroom *h)
{
	int64_t most = h->need;

	for (size_t i = 0; i < g->count; i++) {
		struct ksm_headroom here = { .need = (int64_t)g->rows[i].pages * ksm_page_size() };

		if (here.need > most)
			here.need = most;
		if (here.need <= 0 || group_available(io, g->rows[i].path, &here.available))
			continue;
		if (margin(&here) >= margin(h))
			continue;
		ksm_copy(here.where, sizeof(here.where), g->rows[i].path);
		*h = here;
	}
}

static int look(const struct ksm_io *io, const struct ksm_proc *rows, size_t n,
		struct ksm_headroom *h)
{
	struct groups g = { 0 };
	int ret = ksm_mem_available(io, &h->available);

	h->where[0] = '\0';
	for (size_t i = 0; i < n && !ret; i++)
		if (rows[i].merging_pages + rows[i].zero_pages)
			ret = add_process(io, &g, &rows[i]);
	if (!ret)
		find_tightest(io, &g, h);
	groups_free(&g);
	return ret;
}

int ksm_headroom_all(const struct ksm_io *io, const struct ksm_counters_snapshot *s,
		     struct ksm_headroom *h)
{
	struct ksm_procs procs = { 0 };
	struct ksm_derived d;
	int ret;

	ksm_derive(s, &d);
	h->need = d.saved_bytes;
	/* without processes the machine's figures are still right */
	if (h->need > 0 && ksm_procs_read(io, &procs, 0))
		procs.count = 0;
	ret = look(io, procs.rows, procs.count, h);
	ksm_procs_free(&procs);
	return ret;
}

int ksm_headroom_procs(const struct ksm_io *io, const struct ksm_proc *rows, size_t n,
		       struct ksm_headroom *h)
{
	h->need = 0;
	for (size_t i = 0; i < n; i++)
		h->need += (int64_t)(rows[i].merging_pages + rows[i].zero_pages) * ksm_page_size();
	return look(io, rows, n, h);
}

bool ksm_headroom_fits(const struct ksm_headroom *h)
{
	return h->need <= 0 || (uint64_t)h->need <= h->available;
}

char *ksm_headroom_text(char *buf, size_t size, const struct ksm_headroom *h)
{
	char need[KSM_FORMAT_MAX], have[KSM_FORMAT_MAX], where[KSM_HEADROOM_WHERE];

	snprintf(buf, size, "needs %s, %s available%s%s",
		 ksm_format_bytes(need, sizeof(need), h->need > 0 ? h->need : 0),
		 ksm_format_bytes(have, sizeof(have), (int64_t)h->available),
		 h->where[0] ? " in cgroup " : "", ksm_format_safe(where, sizeof(where), h->where));
	return buf;
}
