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
	json_object_object_add(scanner, "cpu_percent", json_object_new_double(st->cpu));
	ksm_json_uint(scanner, "runtime_ns", st->scanner.runtime);
	ksm_json_uint(scanner, "waited_ns", st->scanner.waited);
}

/* What a kernel does not tell is null, never 0. */
static void add_figure(struct json_object *o, const char *key, const struct ksm_proc *row,
		       uint32_t bit, uint64_t value)
{
	if (row->present & bit)
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
		add_figure(o, "uid", row, KSM_PROC_UID, row->uid);
		ksm_json_str(o, "comm", row->comm);
		add_figure(o, "merging_pages", row, KSM_PROC_MERGING, row->merging_pages);
		add_figure(o, "zero_pages", row, KSM_PROC_ZERO_PAGES, row->zero_pages);
		add_figure(o, "rmap_items", row, KSM_PROC_RMAP_ITEMS, row->rmap_items);
		ksm_json_int(o, "profit_bytes", ksm_proc_profit(row));
		json_object_array_add(list, o);
	}
	ksm_json_uint(root, "processes_total", st->procs.count);
	ksm_json_uint(root, "processes_denied", st->procs.denied);
	ksm_json_str(root, "processes_note", st->procs.reason[0] ? st->procs.reason : NULL);
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
	add_processes(root, st);
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}
