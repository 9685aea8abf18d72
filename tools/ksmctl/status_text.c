// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ksmctl/status.h"
#include "lib/format.h"
#include "lib/log.h"

static const char *state_text(const struct status *st)
{
	int64_t run = ksm_snapshot_get(&st->s, KSM_ABI_RUN);

	if (run == KSM_RUN_STOP && ksm_snapshot_get(&st->s, KSM_ABI_PAGES_SHARED) > 0)
		return "stopped, merged pages kept";
	return ksmctl_run_name(run);
}

static void print_scanner(const struct status *st)
{
	char total[KSM_FORMAT_MAX];

	if (st->scanner_reason)
		printf("scanner     %s: not measured, %s\n", st->b->thread, st->scanner_reason);
	else
		printf("scanner     %s (pid %d), %.1f %% of a CPU now, %s in all\n", st->b->thread,
		       st->scanner.pid, st->cpu,
		       ksm_format_duration(total, sizeof(total), st->scanner.runtime));
}

static void print_scan(const struct status *st)
{
	char time[KSM_FORMAT_MAX], page[KSM_FORMAT_MAX];

	if (!st->cost.full_scan_ns && !ksm_snapshot_get(&st->s, KSM_ABI_PAGES_TO_SCAN))
		puts("full scan   never: pages_to_scan is 0");
	else
		printf("full scan   %s at today's settings (%s a page%s)\n",
		       ksm_format_duration(time, sizeof(time), st->cost.full_scan_ns),
		       ksm_format_duration(page, sizeof(page), (uint64_t)st->cost.ns_page),
		       st->cost.known ? "" : ", assumed");
	if (st->settle.known)
		printf("settled     %s, the saving changes by %.1f %% in a full scan\n",
		       st->settle.settled ? "yes" : "no", st->settle.percent);
	else
		printf("settled     cannot be told: %s\n",
		       !(ksm_snapshot_get(&st->s, KSM_ABI_RUN) & KSM_RUN_MERGE) ?
			       "merging does not run" :
			       "too few full scans, or nothing saved");
}

static void print_unmerging(const struct status *st)
{
	char text[KSM_HEADROOM_TEXT];

	if (st->headroom_known)
		printf("unmerging   %s\n", ksm_headroom_text(text, sizeof(text), &st->headroom));
	else
		puts("unmerging   needs what is saved; what is available is not known");
}

/* One node has it all. */
static void print_nodes(const struct status *st)
{
	char bytes[KSM_FORMAT_MAX];

	if (st->nodes.count < 2)
		return;
	if (st->nodes.reason[0]) {
		printf("by node     not known: %s\n", st->nodes.reason);
		return;
	}
	for (size_t i = 0; i < st->nodes.count; i++)
		printf("%s%u: %s", i ? ", node " : "by node     node ", st->nodes.rows[i].id,
		       ksm_format_pages(bytes, sizeof(bytes), (int64_t)st->nodes.rows[i].saved));
	putchar('\n');
}

static void print_warnings(const struct status *st)
{
	for (size_t i = 0; i < st->warning_count; i++)
		printf("%s%s: %s\n", i ? "            " : "\nwarnings    ", st->warning_names[i],
		       st->warnings[i].evidence);
	if (st->warning_count)
		puts("            ksmctl doctor tells what to do");
}

static void print_summary(const struct status *st)
{
	char bytes[KSM_FORMAT_MAX], pages[KSM_FORMAT_MAX];

	printf("backend     %s (%s)\n", st->b->name, ksm_backend_title(st->b->kind));
	printf("state       %s\n", state_text(st));
	printf("saved       %s (%s pages)\n",
	       ksm_format_bytes(bytes, sizeof(bytes), st->d.saved_bytes),
	       ksm_format_count(pages, sizeof(pages), st->d.saved_pages));
	printf("metadata    %s\n", ksm_format_bytes(bytes, sizeof(bytes), st->d.metadata_bytes));
	printf("net profit  %s%s\n", ksm_format_bytes(bytes, sizeof(bytes), st->d.profit_bytes),
	       st->d.profit_exact ? "" : " (computed: this kernel has no general_profit)");
	print_scanner(st);
	print_scan(st);
	print_unmerging(st);
	print_nodes(st);
}

/* What a file's number means, "" when the number says it all. */
static void meaning(const struct status *st, const struct ksm_knob *knob, char *buf, size_t size)
{
	int64_t value = st->s.value[knob->id];

	buf[0] = '\0';
	if (knob->flags & KSM_ABI_PAGES)
		ksm_format_pages(buf, size, value);
	else if (knob->flags & KSM_ABI_BYTES)
		ksm_format_bytes(buf, size, value);
	else if (knob->id == KSM_ABI_SLEEP_MILLISECS || knob->id == KSM_ABI_PRUNE_MILLISECS)
		ksm_format_duration(buf, size, (uint64_t)value * 1000000u);
	else if (knob->id == KSM_ABI_ADVISOR_TARGET_TIME)
		ksm_format_duration(buf, size, (uint64_t)value * 1000000000u);
	else if (knob->id == KSM_ABI_ADVISOR_MAX_CPU)
		snprintf(buf, size, "%" PRId64 " %%", value);
	else if (knob->id == KSM_ABI_RUN)
		ksm_copy(buf, size, ksmctl_run_name(value));
}

static int print_files(const struct status *st)
{
	static const struct ksm_column columns[] = { { "FILE", false },
						     { "VALUE", true },
						     { "MEANS", true } };
	struct ksm_table *t = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	char value[KSM_WORD_MAX], unit[KSM_FORMAT_MAX];
	int ret = t ? 0 : -1;

	for (unsigned int i = 0; i < ksm_knob_count && !ret; i++) {
		const struct ksm_knob *knob = &ksm_knobs[i];
		const char *cells[] = { knob->name, value, unit };

		if (!ksm_snapshot_has(&st->s, knob->id))
			continue;
		if (knob->kind == KSM_ABI_WORD)
			ksm_snapshot_word(&st->s, knob->id, value, sizeof(value));
		else
			ksm_format_count(value, sizeof(value), st->s.value[knob->id]);
		meaning(st, knob, unit, sizeof(unit));
		ret = ksm_table_row(t, cells);
	}
	if (!ret)
		ksm_table_print(t, stdout, true);
	ksm_table_free(t);
	return ret;
}

static void print_absent(const struct status *st)
{
	const size_t width = 80;
	size_t column = 0;

	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		const char *name = ksm_knobs[i].name;

		if (ksm_snapshot_has(&st->s, ksm_knobs[i].id) ||
		    !ksm_backend_may_have(st->b->kind, &ksm_knobs[i]))
			continue;
		if (!column)
			column = (size_t)printf("not there: %s", name);
		else if (column + 2 + strlen(name) < width)
			column += (size_t)printf(", %s", name);
		else
			column = (size_t)printf(",\n           %s", name) - 2;
	}
	if (column)
		putchar('\n');
}

/* "-" for what this kernel does not tell */
static char *figure(char *buf, size_t size, uint32_t present, uint32_t bit, uint64_t value)
{
	if (present & bit)
		return ksm_format_count(buf, size, (int64_t)value);
	ksm_copy(buf, size, "-");
	return buf;
}

static int add_process(struct ksm_table *t, const struct ksm_proc *row)
{
	char pid[16], uid[16], merged[KSM_FORMAT_MAX], zero[KSM_FORMAT_MAX], items[KSM_FORMAT_MAX];
	char profit[KSM_FORMAT_MAX], comm[sizeof(row->comm)];
	const char *cells[] = { pid, uid, merged, zero, items, profit, comm };

	snprintf(pid, sizeof(pid), "%d", row->tgid);
	snprintf(uid, sizeof(uid), "%u", row->uid);
	if (!(row->present & KSM_PROC_UID))
		ksm_copy(uid, sizeof(uid), "-");
	figure(merged, sizeof(merged), row->present, KSM_PROC_MERGING, row->merging_pages);
	figure(zero, sizeof(zero), row->present, KSM_PROC_ZERO_PAGES, row->zero_pages);
	figure(items, sizeof(items), row->present, KSM_PROC_RMAP_ITEMS, row->rmap_items);
	ksm_format_bytes(profit, sizeof(profit), ksm_proc_profit(row));
	ksm_format_safe(comm, sizeof(comm), row->comm);
	return ksm_table_row(t, cells);
}

static int add_group(struct ksm_table *t, const struct ksm_group *g)
{
	char procs[KSM_FORMAT_MAX], merged[KSM_FORMAT_MAX], zero[KSM_FORMAT_MAX];
	char items[KSM_FORMAT_MAX], profit[KSM_FORMAT_MAX], name[sizeof(g->name)];
	const char *cells[] = { procs, merged, zero, items, profit, name };

	ksm_format_count(procs, sizeof(procs), (int64_t)g->processes);
	figure(merged, sizeof(merged), g->present, KSM_PROC_MERGING, g->merging_pages);
	figure(zero, sizeof(zero), g->present, KSM_PROC_ZERO_PAGES, g->zero_pages);
	figure(items, sizeof(items), g->present, KSM_PROC_RMAP_ITEMS, g->rmap_items);
	ksm_format_bytes(profit, sizeof(profit), ksm_group_profit(g));
	ksm_format_safe(name, sizeof(name), g->name);
	return ksm_table_row(t, cells);
}

static struct ksm_table *new_table(enum ksm_rollup_by by)
{
	static const struct ksm_column processes[] = {
		{ "PID", true },   { "UID", true },    { "MERGED", true },   { "ZERO", true },
		{ "ITEMS", true }, { "PROFIT", true }, { "COMMAND", false },
	};
	static const struct ksm_column cgroups[] = {
		{ "PROCS", true }, { "MERGED", true }, { "ZERO", true },
		{ "ITEMS", true }, { "PROFIT", true }, { "CGROUP", false },
	};
	static const struct ksm_column guests[] = {
		{ "PROCS", true }, { "MERGED", true }, { "ZERO", true },
		{ "ITEMS", true }, { "PROFIT", true }, { "GUEST", false },
	};

	if (by == KSM_ROLLUP_PROCESS)
		return ksm_table_new(processes, KSM_ARRAY_SIZE(processes));
	return ksm_table_new(by == KSM_ROLLUP_CGROUP ? cgroups : guests, KSM_ARRAY_SIZE(guests));
}

static int print_processes(const struct status *st)
{
	struct ksm_table *t = new_table(st->by);
	int ret = t ? 0 : -1;
	size_t i;

	for (i = 0; i < st->groups.count && i < st->max_processes && !ret; i++)
		ret = st->by == KSM_ROLLUP_PROCESS ? add_process(t, &st->procs.rows[i]) :
						     add_group(t, &st->groups.rows[i]);
	putchar('\n');
	if (!ret && i)
		ksm_table_print(t, stdout, true);
	if (!i)
		puts("no process with merged or tracked pages");
	if (i < st->groups.count)
		printf("and %zu more\n", st->groups.count - i);
	ksm_table_free(t);
	return ret;
}

int status_text(const struct status *st)
{
	int ret;

	print_summary(st);
	putchar('\n');
	ret = print_files(st);
	print_absent(st);
	if (st->max_processes && !ret)
		ret = print_processes(st);
	if (st->procs.reason[0])
		printf("(%s)\n", st->procs.reason);
	print_warnings(st);
	if (!ret)
		return KSM_EXIT_OK;
	ksm_log_error("out of memory");
	return KSM_EXIT_FAILED;
}
