// SPDX-License-Identifier: GPL-2.0
/*
 * One exposition: the engines' files under node_exporter's names, what they mean, and who profits.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ksmctl/metrics.h"
#include "lib/procs.h"
#include "lib/rollup.h"

#define ENGINES 2

/* An engine that is there, read once. */
struct source {
	bool there;
	struct ksm_backend b;
	struct ksm_counters_snapshot s;
	struct ksm_derived d;
	struct ksm_scanner scanner;
	bool has_scanner;
};

/* Files whose metric is not node_ksmd_ and the file's name: base units, and counters by suffix. */
static const struct {
	unsigned int id;
	const char *name;
	double scale;
} renamed[] = {
	{ KSM_ABI_FULL_SCANS, "node_ksmd_full_scans_total", 1 },
	{ KSM_ABI_PAGES_SCANNED, "node_ksmd_pages_scanned_total", 1 },
	{ KSM_ABI_PAGES_SKIPPED, "node_ksmd_pages_skipped_total", 1 },
	{ KSM_ABI_SLEEP_MILLISECS, "node_ksmd_sleep_seconds", 1e-3 },
	{ KSM_ABI_PRUNE_MILLISECS, "node_ksmd_stable_node_chains_prune_seconds", 1e-3 },
	{ KSM_ABI_ADVISOR_TARGET_TIME, "node_ksmd_advisor_target_scan_time_seconds", 1 },
	{ KSM_ABI_GENERAL_PROFIT, "node_ksmd_general_profit_bytes", 1 },
};

static const char *kind_of(const struct source *source)
{
	return ksm_backend_kind_name(source->b.kind);
}

static bool is_total(const char *name)
{
	size_t len = strlen(name);

	return len > 6 && !strcmp(name + len - 6, "_total");
}

static void write_word(struct ksm_metrics *m, const struct source *source,
		       const struct ksm_knob *knob)
{
	char word[KSM_WORD_MAX];

	ksm_snapshot_word(&source->s, knob->id, word, sizeof(word));
	ksm_metrics_sample(
		m, "", (const char *const[]){ "backend", kind_of(source), "mode", word, NULL }, 1);
}

static void write_knob(struct ksm_metrics *m, const struct source *sources,
		       const struct ksm_knob *knob)
{
	char name[80], help[80];
	bool begun = false;
	double scale = 1;

	snprintf(name, sizeof(name), "node_ksmd_%s", knob->name);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(renamed); i++) {
		if (renamed[i].id != knob->id)
			continue;
		ksm_copy(name, sizeof(name), renamed[i].name);
		scale = renamed[i].scale;
	}
	/* node_exporter's own words: two texts for one metric would be refused */
	snprintf(help, sizeof(help), "ksmd '%s' file.", knob->name);
	for (int i = 0; i < ENGINES; i++) {
		const struct source *source = &sources[i];

		if (!source->there || !ksm_snapshot_has(&source->s, knob->id))
			continue;
		if (!begun)
			ksm_metrics_family(m, name,
					   is_total(name) ? KSM_METRIC_COUNTER : KSM_METRIC_GAUGE,
					   help);
		begun = true;
		if (knob->kind == KSM_ABI_WORD)
			write_word(m, source, knob);
		else
			ksm_metrics_sample(
				m, "", (const char *const[]){ "backend", kind_of(source), NULL },
				(double)source->s.value[knob->id] * scale);
	}
}

static double saved_bytes(const struct source *source)
{
	return (double)source->d.saved_bytes;
}

static double metadata_bytes(const struct source *source)
{
	return (double)source->d.metadata_bytes;
}

static double profit_bytes(const struct source *source)
{
	return (double)source->d.profit_bytes;
}

static double scanner_seconds(const struct source *source)
{
	return (double)source->scanner.runtime / 1e9;
}

static void write_derived(struct ksm_metrics *m, const struct source *sources)
{
	static const struct {
		const char *name;
		const char *help;
		double (*value)(const struct source *source);
		bool scanner;
	} families[] = {
		{ "ksmkit_saved_bytes", "Memory that does not exist because of merging.",
		  saved_bytes, false },
		{ "ksmkit_metadata_bytes", "Memory that KSM holds for its rmap items.",
		  metadata_bytes, false },
		{ "ksmkit_profit_bytes", "Saved minus metadata.", profit_bytes, false },
		{ "ksmkit_scanner_cpu_seconds_total", "CPU time of the scanner thread.",
		  scanner_seconds, true },
	};

	for (size_t f = 0; f < KSM_ARRAY_SIZE(families); f++) {
		bool begun = false;

		for (int i = 0; i < ENGINES; i++) {
			if (!sources[i].there || (families[f].scanner && !sources[i].has_scanner))
				continue;
			if (!begun)
				ksm_metrics_family(m, families[f].name,
						   families[f].scanner ? KSM_METRIC_COUNTER :
									 KSM_METRIC_GAUGE,
						   families[f].help);
			begun = true;
			ksm_metrics_sample(
				m, "",
				(const char *const[]){ "backend", kind_of(&sources[i]), NULL },
				families[f].value(&sources[i]));
		}
	}
}

/* What one row of processes or groups gives in a family. */
typedef double (*process_value)(const struct ksm_proc *row, const struct metrics_events *events);

static double process_profit(const struct ksm_proc *row, const struct metrics_events *events)
{
	return (double)ksm_proc_profit(row);
}

static double process_merging(const struct ksm_proc *row, const struct metrics_events *events)
{
	return (double)row->merging_pages;
}

static double process_breaks(const struct ksm_proc *row, const struct metrics_events *events)
{
	return (double)ksm_stream_proc_breaks(events->stream, (uint32_t)row->tgid, NULL);
}

static void write_process_family(struct ksm_metrics *m, const struct ksm_procs *procs,
				 unsigned int top, const struct metrics_events *events,
				 process_value value)
{
	double rest = 0;
	char pid[16];

	for (size_t i = 0; i < procs->count; i++) {
		const struct ksm_proc *row = &procs->rows[i];

		if (i >= top) {
			rest += value(row, events);
			continue;
		}
		snprintf(pid, sizeof(pid), "%d", row->tgid);
		ksm_metrics_sample(m, "",
				   (const char *const[]){ "pid", pid, "comm", row->comm, NULL },
				   value(row, events));
	}
	if (procs->count > top)
		ksm_metrics_sample(
			m, "", (const char *const[]){ "pid", "", "comm", "(rest)", NULL }, rest);
}

static void write_processes(struct ksm_metrics *m, const struct ksm_procs *procs, unsigned int top,
			    const struct metrics_events *events)
{
	if (!procs->count)
		return;
	ksm_metrics_family(m, "ksmkit_process_profit_bytes", KSM_METRIC_GAUGE,
			   "What a process contributes, minus its metadata.");
	write_process_family(m, procs, top, events, process_profit);
	ksm_metrics_family(m, "ksmkit_process_merging_pages", KSM_METRIC_GAUGE,
			   "Merged pages of a process.");
	write_process_family(m, procs, top, events, process_merging);
	if (!events->has_breaks)
		return;
	/* a gauge: the sum over the rest falls when a process ends */
	ksm_metrics_family(m, "ksmkit_process_cow_breaks", KSM_METRIC_GAUGE,
			   "Copy-on-write breaks of a process since ksmctl metrics was started.");
	write_process_family(m, procs, top, events, process_breaks);
}

static int write_cgroups(struct ksm_metrics *m, const struct ksm_io *io,
			 const struct ksm_procs *procs, unsigned int top)
{
	struct ksm_groups groups = { 0 };
	double rest = 0;
	int ret = ksm_rollup(io, procs->rows, procs->count, KSM_ROLLUP_CGROUP, &groups);

	if (!ret && groups.count)
		ksm_metrics_family(m, "ksmkit_cgroup_profit_bytes", KSM_METRIC_GAUGE,
				   "What the processes of a cgroup contribute, minus metadata.");
	for (size_t i = 0; !ret && i < groups.count; i++) {
		const struct ksm_group *g = &groups.rows[i];

		if (i >= top)
			rest += (double)ksm_group_profit(g);
		else
			ksm_metrics_sample(
				m, "",
				(const char *const[]){ "cgroup", g->path, "name", g->name, NULL },
				(double)ksm_group_profit(g));
	}
	if (!ret && groups.count > top)
		ksm_metrics_sample(
			m, "", (const char *const[]){ "cgroup", "", "name", "(rest)", NULL }, rest);
	ksm_groups_free(&groups);
	return ret;
}

static void write_events(struct ksm_metrics *m, const struct metrics_events *events)
{
	if (!events->stream)
		return;
	ksm_metrics_family(m, "ksmkit_events_lost_total", KSM_METRIC_COUNTER,
			   "Events that happened but never reached ksmctl metrics.");
	ksm_metrics_sample(m, "", NULL, (double)ksm_stream_lost(events->stream));
	if (!events->has_breaks)
		return;
	ksm_metrics_family(
		m, "ksmkit_cow_breaks_total", KSM_METRIC_COUNTER,
		"Copy-on-write breaks of merged pages since ksmctl metrics was started.");
	ksm_metrics_sample(m, "", NULL, (double)events->breaks);
	ksm_metrics_family(m, "ksmkit_cow_break_latency_seconds", KSM_METRIC_HISTOGRAM,
			   "Duration of the page faults that broke merged pages.");
	ksm_metrics_latency(m, &events->latency);
}

struct vmstat {
	int64_t cow;
	int64_t swapin;
};

static int vmstat_line(const char *line, void *ctx)
{
	struct vmstat *v = ctx;

	sscanf(line, "cow_ksm %" SCNd64, &v->cow);
	sscanf(line, "ksm_swpin_copy %" SCNd64, &v->swapin);
	return 0;
}

/* The kernel's own counts need nobody who watches. */
static void write_vmstat(struct ksm_metrics *m, const struct ksm_io *io)
{
	struct vmstat v = { -1, -1 };

	ksm_io_each_line(io, "/proc/vmstat", vmstat_line, &v);
	if (v.cow >= 0) {
		ksm_metrics_family(m, "ksmkit_vmstat_cow_ksm_total", KSM_METRIC_COUNTER,
				   "Merged pages copied by the kernel, those unmerged included.");
		ksm_metrics_sample(m, "", NULL, (double)v.cow);
	}
	if (v.swapin >= 0) {
		ksm_metrics_family(m, "ksmkit_vmstat_ksm_swpin_copy_total", KSM_METRIC_COUNTER,
				   "Merged pages copied when they were swapped in.");
		ksm_metrics_sample(m, "", NULL, (double)v.swapin);
	}
}

/* Every engine, or the one that was asked for. Return: 0 or negative errno. */
static int read_sources(struct source *sources, const struct ksm_backend *located, const char *spec,
			struct ksm_error *err)
{
	bool one = spec && !located->fake && strcmp(spec, "auto");
	int found = 0;

	for (unsigned int kind = 0; kind < ENGINES; kind++) {
		struct source *source = &sources[kind];

		memset(source, 0, sizeof(*source));
		source->b = *located;
		if (one && strcmp(spec, ksm_backend_kind_name(kind)))
			continue;
		if (!ksm_backend_exists(&located->io, kind))
			continue;
		if (ksm_backend_select(&source->b, kind, err) ||
		    ksm_backend_read(&source->b, &source->s, err))
			return err->code;
		source->there = true;
		ksm_derive(&source->s, &source->d);
		source->has_scanner = !ksm_scanner_read(&source->b, &source->scanner);
		found++;
	}
	if (found)
		return 0;
	/* for its message */
	return ksm_backend_open(&sources[0].b, spec, err);
}

int metrics_write(struct ksm_metrics *m, const struct ksm_backend *located, const char *spec,
		  unsigned int top, const struct metrics_events *events, struct ksm_error *err)
{
	struct source sources[ENGINES];
	struct ksm_procs procs = { 0 };
	int ret = read_sources(sources, located, spec, err);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < ksm_knob_count; i++)
		write_knob(m, sources, &ksm_knobs[i]);
	write_derived(m, sources);
	write_vmstat(m, &located->io);
	write_events(m, events);
	ret = ksm_procs_read(&located->io, &procs, 0);
	if (!ret) {
		ksm_metrics_family(m, "ksmkit_processes_unreadable", KSM_METRIC_GAUGE,
				   "Processes whose figures could not be read.");
		ksm_metrics_sample(m, "", NULL, (double)procs.denied);
		write_processes(m, &procs, top, events);
		ret = write_cgroups(m, &located->io, &procs, top);
	}
	ksm_procs_free(&procs);
	if (ret)
		return ksm_error_set(err, ret, "/proc cannot be read: %s", strerror(-ret));
	ret = ksm_metrics_end(m);
	return ret ? ksm_error_set(err, ret, "cannot write: %s", strerror(-ret)) : 0;
}
