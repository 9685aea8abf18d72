// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cgroup.h"
#include "lib/util.h"

const char *const report_by_names[REPORT_BYS] = {
	[REPORT_BY_PROCESS] = "process", [REPORT_BY_CGROUP] = "cgroup", [REPORT_BY_GUEST] = "guest",
	[REPORT_BY_EVENT] = "event",	 [REPORT_BY_PAGE] = "page",
};

static void name_process(const struct report *r, uint32_t number, struct report_row *row)
{
	const struct proc *proc = &r->procs.all[number];
	const char *guest = procs_string(&r->procs, proc->guest);

	row->tgid = proc->tgid;
	if (!number)
		ksm_copy(row->name, sizeof(row->name),
			 r->procs.beyond ? "(others)" : "(no process)");
	else if (guest)
		snprintf(row->name, sizeof(row->name), "%s (%.60s)", *proc->comm ? proc->comm : "?",
			 guest);
	else
		ksm_copy(row->name, sizeof(row->name), *proc->comm ? proc->comm : "?");
}

/* Processes in cgroups that a container makes for itself belong to the container. */
static uint32_t unit_of(struct report *r, const struct proc *proc)
{
	const char *path = procs_string(&r->procs, proc->cgroup);
	char unit[KSM_CGROUP_PATH_MAX], name[KSM_CGROUP_NAME_MAX];

	if (path) {
		ksm_cgroup_name(path, unit, sizeof(unit), name, sizeof(name));
		return procs_intern(&r->procs, unit);
	}
	if (!proc->cgroup_id)
		return 0;
	snprintf(unit, sizeof(unit), "cgroup %" PRIu64, proc->cgroup_id);
	return procs_intern(&r->procs, unit);
}

static void name_unit(const struct report *r, uint32_t number, struct report_row *row)
{
	const char *text = procs_string(&r->procs, number);
	char unit[KSM_CGROUP_PATH_MAX], name[KSM_CGROUP_NAME_MAX];

	if (!text || *text != '/') {
		ksm_copy(row->name, sizeof(row->name), text ? text : "(unknown)");
		return;
	}
	ksm_cgroup_name(text, unit, sizeof(unit), name, sizeof(name));
	ksm_copy(row->name, sizeof(row->name), name);
}

static void name_guest(const struct report *r, uint32_t number, struct report_row *row)
{
	const char *text = procs_string(&r->procs, number);

	ksm_copy(row->name, sizeof(row->name), text ? text : "(no guest)");
}

static uint32_t group_of(struct report *r, enum report_by by, uint32_t number)
{
	const struct proc *proc = &r->procs.all[number];

	switch (by) {
	case REPORT_BY_CGROUP:
		return unit_of(r, proc);
	case REPORT_BY_GUEST:
		return proc->guest;
	default:
		return number;
	}
}

static uint64_t activity(const struct tally *t)
{
	return tally_merged(t) + t->breaks + t->unmerged + t->before;
}

static int by_activity(const void *a, const void *b, void *ctx)
{
	const struct report_row *rows = ctx;
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint64_t of_x = activity(&rows[x].tally), of_y = activity(&rows[y].tally);

	if (of_x != of_y)
		return of_x > of_y ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void sort_rows(struct report_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		if (activity(&rows->rows[i].tally) || rows->rows[i].tally.failed)
			rows->sorted[rows->sorted_count++] = i;
	qsort_r(rows->sorted, rows->sorted_count, sizeof(*rows->sorted), by_activity, rows->rows);
	for (size_t i = 0; i < rows->sorted_count; i++)
		rows->rows[rows->sorted[i]].order = i;
}

int report_rows_make(struct report *r, enum report_by by, struct report_rows *rows)
{
	static void (*const names[])(const struct report *, uint32_t, struct report_row *) = {
		[REPORT_BY_PROCESS] = name_process,
		[REPORT_BY_CGROUP] = name_unit,
		[REPORT_BY_GUEST] = name_guest,
	};

	memset(rows, 0, sizeof(*rows));
	rows->group_of = calloc(r->procs.count, sizeof(*rows->group_of));
	if (!rows->group_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->procs.count; i++)
		rows->group_of[i] = group_of(r, by, i);
	rows->count = by == REPORT_BY_PROCESS ? r->procs.count : r->procs.string_count;
	rows->rows = calloc(rows->count, sizeof(*rows->rows));
	rows->sorted = calloc(rows->count, sizeof(*rows->sorted));
	if (!rows->rows || !rows->sorted) {
		report_rows_free(rows);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < r->procs.count; i++) {
		struct report_row *row = &rows->rows[rows->group_of[i]];

		row->processes += r->procs.all[i].tgid != 0;
		tally_add(&row->tally, &r->procs.all[i].tally);
	}
	sort_rows(rows);
	for (size_t i = 0; i < rows->sorted_count; i++)
		names[by](r, rows->sorted[i], &rows->rows[rows->sorted[i]]);
	return 0;
}

void report_rows_free(struct report_rows *rows)
{
	free(rows->rows);
	free(rows->sorted);
	free(rows->group_of);
	memset(rows, 0, sizeof(*rows));
}
