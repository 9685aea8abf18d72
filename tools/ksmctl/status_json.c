// SPDX-License-Identifier: GPL-2.0
#include "ksmctl/status.h"
#include "lib/json.h"

static const char *state_word(int64_t run)
{
	if (run & KSM_RUN_OFFLINE)
		return "offline";
	return run == KSM_RUN_MERGE ? "running" : run == KSM_RUN_UNMERGE ? "unmerged" : "stopped";
}

static void add_files(struct json_object *root, const struct status *st)
{
	struct json_object *files = ksm_json_obj(root, "files");
	struct json_object *absent = ksm_json_arr(root, "absent");
	char word[KSM_WORD_MAX];

	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		const struct ksm_knob *knob = &ksm_knobs[i];

		if (!ksm_backend_may_have(st->b->kind, knob))
			continue;
		if (!ksm_snapshot_has(&st->s, knob->id)) {
			json_object_array_add(absent, json_object_new_string(knob->name));
		} else if (knob->kind == KSM_ABI_WORD) {
			ksm_snapshot_word(&st->s, knob->id, word, sizeof(word));
			ksm_json_str(files, knob->name, word);
		} else {
			ksm_json_int(files, knob->name, st->s.value[knob->id]);
		}
	}
}

static void add_scanner(struct json_object *root, const struct status *st)
{
	struct json_object *scanner = ksm_json_obj(root, "scanner");

	ksm_json_str(scanner, "thread", st->b->thread);
	if (st->scanner_reason) {
		ksm_json_str(scanner, "reason", st->scanner_reason);
		return;
	}
	ksm_json_int(scanner, "pid", st->scanner.pid);
	ksm_json_double(scanner, "cpu_percent", st->cpu);
	ksm_json_uint(scanner, "runtime_ns", st->scanner.runtime);
	ksm_json_uint(scanner, "waited_ns", st->scanner.waited);
}

/* What a kernel does not tell is null, never 0. */
static void add_figure(struct json_object *o, const char *key, uint32_t present, uint32_t bit,
		       uint64_t value)
{
	if (present & bit)
		ksm_json_uint(o, key, value);
	else
		json_object_object_add(o, key, NULL);
}

static void add_processes(struct json_object *root, const struct status *st)
{
	struct json_object *list = ksm_json_arr(root, "processes");

	for (size_t i = 0; i < st->procs.count && i < st->max_processes; i++) {
		const struct ksm_proc *row = &st->procs.rows[i];
		struct json_object *o = json_object_new_object();

		ksm_json_int(o, "pid", row->tgid);
		add_figure(o, "uid", row->present, KSM_PROC_UID, row->uid);
		ksm_json_str(o, "comm", row->comm);
		add_figure(o, "merging_pages", row->present, KSM_PROC_MERGING, row->merging_pages);
		add_figure(o, "zero_pages", row->present, KSM_PROC_ZERO_PAGES, row->zero_pages);
		add_figure(o, "rmap_items", row->present, KSM_PROC_RMAP_ITEMS, row->rmap_items);
		ksm_json_int(o, "profit_bytes", ksm_proc_profit(row));
		json_object_array_add(list, o);
	}
	ksm_json_uint(root, "processes_total", st->procs.count);
	ksm_json_uint(root, "processes_denied", st->procs.denied);
	ksm_json_str(root, "processes_note", st->procs.reason[0] ? st->procs.reason : NULL);
}

/* Only when groups were asked for: of single processes the list above tells more. */
static void add_groups(struct json_object *root, const struct status *st)
{
	struct json_object *list;

	ksm_json_str(root, "by", ksm_rollup_word(st->by));
	if (st->by == KSM_ROLLUP_PROCESS)
		return;
	list = ksm_json_arr(root, "groups");
	for (size_t i = 0; i < st->groups.count && i < st->max_processes; i++) {
		const struct ksm_group *g = &st->groups.rows[i];
		struct json_object *o = json_object_new_object();

		ksm_json_str(o, "name", g->name);
		ksm_json_str(o, "cgroup", g->path[0] ? g->path : NULL);
		ksm_json_uint(o, "processes", g->processes);
		add_figure(o, "merging_pages", g->present, KSM_PROC_MERGING, g->merging_pages);
		add_figure(o, "zero_pages", g->present, KSM_PROC_ZERO_PAGES, g->zero_pages);
		add_figure(o, "rmap_items", g->present, KSM_PROC_RMAP_ITEMS, g->rmap_items);
		ksm_json_int(o, "profit_bytes", ksm_group_profit(g));
		json_object_array_add(list, o);
	}
	ksm_json_uint(root, "groups_total", st->groups.count);
}

static void add_scan(struct json_object *root, const struct status *st)
{
	struct json_object *scan = ksm_json_obj(root, "full_scan");

	ksm_json_uint(scan, "duration_ns", st->cost.full_scan_ns);
	ksm_json_double(scan, "ns_per_page", st->cost.ns_page);
	ksm_json_bool(scan, "measured", st->cost.known);
	if (st->settle.known) {
		ksm_json_bool(root, "settled", st->settle.settled);
		ksm_json_double(root, "change_percent_per_scan", st->settle.percent);
	} else {
		ksm_json_str(root, "settled", NULL);
	}
}

static void add_unmerging(struct json_object *root, const struct status *st)
{
	struct json_object *o = ksm_json_obj(root, "unmerging");

	if (!st->headroom_known)
		return;
	ksm_json_int(o, "needs_bytes", st->headroom.need);
	ksm_json_uint(o, "available_bytes", st->headroom.available);
	ksm_json_str(o, "limited_by", st->headroom.where[0] ? st->headroom.where : NULL);
}

static void add_nodes(struct json_object *root, const struct status *st)
{
	struct json_object *list = ksm_json_arr(root, "nodes");

	for (size_t i = 0; st->nodes.count > 1 && i < st->nodes.count; i++) {
		struct json_object *o = json_object_new_object();

		ksm_json_uint(o, "node", st->nodes.rows[i].id);
		if (!st->nodes.reason[0]) {
			ksm_json_uint(o, "shared_frames", st->nodes.rows[i].frames);
			ksm_json_uint(o, "saved_pages", st->nodes.rows[i].saved);
		}
		json_object_array_add(list, o);
	}
	if (st->nodes.reason[0])
		ksm_json_str(root, "nodes_note", st->nodes.reason);
}

static void add_warnings(struct json_object *root, const struct status *st)
{
	struct json_object *list = ksm_json_arr(root, "warnings");

	for (size_t i = 0; i < st->warning_count; i++) {
		struct json_object *o = json_object_new_object();

		ksm_json_str(o, "check", st->warning_names[i]);
		ksm_json_str(o, "evidence", st->warnings[i].evidence);
		ksm_json_str(o, "remedy", st->warnings[i].remedy);
		json_object_array_add(list, o);
	}
}

int status_json(const struct status *st)
{
	struct json_object *root = json_object_new_object(), *derived;

	ksm_json_str(root, "backend", st->b->name);
	ksm_json_str(root, "kind", ksm_backend_kind_name(st->b->kind));
	ksm_json_str(root, "state", state_word(ksm_snapshot_get(&st->s, KSM_ABI_RUN)));
	ksm_json_int(root, "page_size", ksm_page_size());
	add_files(root, st);
	derived = ksm_json_obj(root, "derived");
	ksm_json_int(derived, "saved_pages", st->d.saved_pages);
	ksm_json_int(derived, "saved_bytes", st->d.saved_bytes);
	ksm_json_int(derived, "metadata_bytes", st->d.metadata_bytes);
	ksm_json_int(derived, "profit_bytes", st->d.profit_bytes);
	ksm_json_bool(derived, "profit_exact", st->d.profit_exact);
	add_scanner(root, st);
	add_scan(root, st);
	add_unmerging(root, st);
	add_nodes(root, st);
	add_processes(root, st);
	add_groups(root, st);
	add_warnings(root, st);
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}
