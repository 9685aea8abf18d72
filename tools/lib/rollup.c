// SPDX-License-Identifier: GPL-2.0
#include "lib/rollup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/guest.h"

static const char *const words[] = {
	[KSM_ROLLUP_PROCESS] = "process",
	[KSM_ROLLUP_CGROUP] = "cgroup",
	[KSM_ROLLUP_GUEST] = "guest",
};

int ksm_rollup_parse(const char *word, enum ksm_rollup_by *by)
{
	for (size_t i = 0; i < KSM_ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i]))
			continue;
		*by = (enum ksm_rollup_by)i;
		return 0;
	}
	return -EINVAL;
}

const char *ksm_rollup_word(enum ksm_rollup_by by)
{
	return words[by];
}

int64_t ksm_group_profit(const struct ksm_group *g)
{
	struct ksm_proc sum = { .merging_pages = g->merging_pages,
				.zero_pages = g->zero_pages,
				.rmap_items = g->rmap_items };

	return ksm_proc_profit(&sum);
}

/* Which group a process belongs to: name and path of @g. */
static void identify(const struct ksm_io *io, const struct ksm_proc *row, enum ksm_rollup_by by,
		     struct ksm_group *g)
{
	char path[KSM_CGROUP_PATH_MAX];
	bool known = !ksm_cgroup_read(io, row->tgid, path, sizeof(path));

	g->pid = row->tgid;
	if (by == KSM_ROLLUP_PROCESS) {
		snprintf(g->name, sizeof(g->name), "%s", row->comm);
		ksm_copy(g->path, sizeof(g->path), known ? path : "");
	} else if (by == KSM_ROLLUP_GUEST) {
		/* two guests may have one name: each is a process, and told apart by it */
		if (ksm_guest_name(io, row->tgid, g->name, sizeof(g->name)))
			snprintf(g->path, sizeof(g->path), "%s", known ? path : "");
		else
			ksm_copy(g->name, sizeof(g->name), KSM_GROUP_NONE);
	} else if (known) {
		ksm_cgroup_name(path, g->path, sizeof(g->path), g->name, sizeof(g->name));
	} else {
		ksm_copy(g->name, sizeof(g->name), KSM_GROUP_NONE);
	}
}

static struct ksm_group *find(struct ksm_groups *groups, const struct ksm_group *key,
			      enum ksm_rollup_by by)
{
	bool rest = !strcmp(key->name, KSM_GROUP_NONE);

	if (by != KSM_ROLLUP_CGROUP && !rest)
		return NULL;
	for (size_t i = 0; i < groups->count; i++)
		if (!strcmp(groups->rows[i].path, key->path) &&
		    !strcmp(groups->rows[i].name, key->name))
			return &groups->rows[i];
	return NULL;
}

static struct ksm_group *add_group(struct ksm_groups *groups, const struct ksm_group *key)
{
	size_t capacity = groups->capacity ? groups->capacity * 2 : 32;
	struct ksm_group *rows;

	if (groups->count == groups->capacity) {
		rows = reallocarray(groups->rows, capacity, sizeof(*rows));
		if (!rows)
			return NULL;
		groups->rows = rows;
		groups->capacity = capacity;
	}
	groups->rows[groups->count] = *key;
	return &groups->rows[groups->count++];
}

static int by_profit(const void *a, const void *b)
{
	const struct ksm_group *x = a, *y = b;
	int64_t px = ksm_group_profit(x), py = ksm_group_profit(y);

	if (px != py)
		return px < py ? 1 : -1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int ksm_rollup(const struct ksm_io *io, const struct ksm_proc *rows, size_t count,
	       enum ksm_rollup_by by, struct ksm_groups *groups)
{
	groups->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct ksm_group key = { 0 }, *g;

		identify(io, &rows[i], by, &key);
		g = find(groups, &key, by);
		if (!g)
			g = add_group(groups, &key);
		if (!g)
			return -ENOMEM;
		g->processes++;
		g->present |= rows[i].present;
		g->merging_pages += rows[i].merging_pages;
		g->rmap_items += rows[i].rmap_items;
		g->zero_pages += rows[i].zero_pages;
	}
	if (groups->count)
		qsort(groups->rows, groups->count, sizeof(*groups->rows), by_profit);
	return 0;
}

void ksm_groups_free(struct ksm_groups *groups)
{
	free(groups->rows);
	memset(groups, 0, sizeof(*groups));
}
