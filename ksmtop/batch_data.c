// SPDX-License-Identifier: GPL-2.0
/* Batch frames for programs: one list of figures, written as CSV and as JSON. */
#include <string.h>

#include "batch_priv.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/knobs.h"
#include "lib/procs.h"
#include "panel_procs.h"

struct host_figure {
	const char *name;
	struct ksmtop_num (*get)(const struct ksmtop_model *m);
};

static struct ksmtop_num known(const struct ksmtop_model *m, int64_t v)
{
	bool have = m->state != KSMTOP_GONE;

	return (struct ksmtop_num){ have, have ? (double)v : 0 };
}

static struct ksmtop_num from_count(struct ksmtop_count c)
{
	return (struct ksmtop_num){ c.have, (double)c.v };
}

static struct ksmtop_num saved(const struct ksmtop_model *m)
{
	return known(m, m->derived.saved_bytes);
}

static struct ksmtop_num metadata(const struct ksmtop_model *m)
{
	return known(m, m->derived.metadata_bytes);
}

static struct ksmtop_num profit(const struct ksmtop_model *m)
{
	return known(m, m->derived.profit_bytes);
}

static struct ksmtop_num cpu(const struct ksmtop_model *m)
{
	return m->cpu;
}

static struct ksmtop_num scan_rate(const struct ksmtop_model *m)
{
	return m->scan_rate;
}

static struct ksmtop_num merge_rate(const struct ksmtop_model *m)
{
	return m->merge_rate;
}

static struct ksmtop_num break_rate(const struct ksmtop_model *m)
{
	return m->break_rate;
}

static struct ksmtop_num merges(const struct ksmtop_model *m)
{
	return from_count(m->now.merges);
}

static struct ksmtop_num breaks(const struct ksmtop_model *m)
{
	return from_count(m->now.breaks);
}

static struct ksmtop_num lost(const struct ksmtop_model *m)
{
	return from_count(m->now.lost);
}

static struct ksmtop_num efficiency(const struct ksmtop_model *m)
{
	return m->efficiency;
}

static struct ksmtop_num p50(const struct ksmtop_model *m)
{
	return m->p50;
}

static struct ksmtop_num p99(const struct ksmtop_model *m)
{
	return m->p99;
}

static struct ksmtop_num mem_available(const struct ksmtop_model *m)
{
	return from_count(m->now.mem_available);
}

static const struct host_figure host_figures[] = {
	{ "saved_bytes", saved },
	{ "metadata_bytes", metadata },
	{ "profit_bytes", profit },
	{ "scanner_cpu_percent", cpu },
	{ "pages_scanned_per_second", scan_rate },
	{ "merges_per_second", merge_rate },
	{ "cow_breaks_per_second", break_rate },
	{ "merges", merges },
	{ "cow_breaks", breaks },
	{ "lost_events", lost },
	{ "merged_per_1000_scanned", efficiency },
	{ "cow_latency_p50_ns", p50 },
	{ "cow_latency_p99_ns", p99 },
	{ "mem_available_bytes", mem_available },
};

static struct ksmtop_num row_saved(const struct ksmtop_row *r)
{
	return r->saved;
}

static struct ksmtop_num row_merging(const struct ksmtop_row *r)
{
	return from_count(r->p.merging);
}

static struct ksmtop_num row_zero(const struct ksmtop_row *r)
{
	return from_count(r->p.zero);
}

static struct ksmtop_num row_net(const struct ksmtop_row *r)
{
	return r->net;
}

/* As /proc/PID/ksm_stat and ksmctl have it. */
static struct ksmtop_num row_profit(const struct ksmtop_row *r)
{
	struct ksm_proc p = { .merging_pages = r->p.merging.v,
			      .zero_pages = r->p.zero.v,
			      .rmap_items = r->p.rmap_items.v };
	bool have = r->p.merging.have && r->p.rmap_items.have;

	return (struct ksmtop_num){ have, have ? (double)ksm_proc_profit(&p) : 0 };
}

static struct ksmtop_num row_items(const struct ksmtop_row *r)
{
	return from_count(r->p.rmap_items);
}

static struct ksmtop_num row_breaks(const struct ksmtop_row *r)
{
	return r->breaks;
}

static struct ksmtop_num row_mergeable(const struct ksmtop_row *r)
{
	return from_count(r->p.mergeable);
}

static struct ksmtop_num row_cow_time(const struct ksmtop_row *r)
{
	return r->cow_time;
}

static struct ksmtop_num row_scan(const struct ksmtop_row *r)
{
	return r->scan;
}

/* A word of a text column; NULL for "-". */
static const char *row_word(const struct ksmtop_row *r, const char *column, char *buf, size_t size)
{
	column_text(&ksmtop_columns[column_find(column)], r, buf, size);
	return strcmp(buf, "-") ? buf : NULL;
}

static const struct row_figure {
	const char *name;
	struct ksmtop_num (*get)(const struct ksmtop_row *r);
} row_figures[] = {
	{ "saved_bytes", row_saved },
	{ "net_bytes", row_net },
	{ "profit_bytes", row_profit },
	{ "merging_pages", row_merging },
	{ "zero_pages", row_zero },
	{ "rmap_items", row_items },
	{ "cow_breaks_per_second", row_breaks },
	{ "mergeable_bytes", row_mergeable },
	{ "cow_time_percent", row_cow_time },
	{ "scan_share_percent", row_scan },
};

static bool is_rate(const char *name)
{
	return strstr(name, "_per_") || strstr(name, "_percent");
}
/* ---- CSV ------------------------------------------------------------------------------------ */

static void csv_num(FILE *out, const char *name, struct ksmtop_num n)
{
	fputc(',', out);
	if (n.have)
		fprintf(out, is_rate(name) ? "%.3f" : "%.0f", n.v);
}

static void csv_text(FILE *out, const char *text)
{
	char safe[256];

	ksm_format_safe(safe, sizeof(safe), text);
	fputs(",\"", out);
	for (const char *c = safe; *c; c++) {
		if (*c == '"')
			fputc('"', out);
		fputc(*c, out);
	}
	fputc('"', out);
}

static void csv_word(FILE *out, const char *word)
{
	if (word)
		csv_text(out, word);
	else
		fputc(',', out);
}

static void csv_heading(FILE *out)
{
	fputs("scope,frame,time,backend,kernel,state,pid,user,comm,opt_in,group", out);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(row_figures); i++)
		fprintf(out, ",%s", row_figures[i].name);
	for (unsigned int i = 0; i < ksm_knob_count; i++)
		fprintf(out, ",%s", ksm_knobs[i].name);
	/* The host's savings are in the columns that processes have too. */
	for (size_t i = 0; i < KSM_ARRAY_SIZE(host_figures); i++)
		if (strcmp(host_figures[i].name, "saved_bytes") &&
		    strcmp(host_figures[i].name, "profit_bytes") &&
		    strcmp(host_figures[i].name, "cow_breaks_per_second"))
			fprintf(out, ",%s", host_figures[i].name);
	fputc('\n', out);
}

static struct ksmtop_num host_figure(const struct ksmtop_model *m, const char *name)
{
	for (size_t i = 0; i < KSM_ARRAY_SIZE(host_figures); i++)
		if (!strcmp(host_figures[i].name, name))
			return host_figures[i].get(m);
	return (struct ksmtop_num){ 0 };
}

static bool in_rows(const char *name)
{
	for (size_t i = 0; i < KSM_ARRAY_SIZE(row_figures); i++)
		if (!strcmp(row_figures[i].name, name))
			return true;
	return false;
}

static void csv_common(FILE *out, const char *scope, const struct ksmtop_model *m,
		       unsigned int frame)
{
	char when[32];

	batch_time(m, when, sizeof(when));
	fprintf(out, "%s,%u,%s", scope, frame, when);
	csv_text(out, m->now.backend);
	csv_text(out, m->now.kernel);
	csv_text(out, model_state_name(m->state));
}

static void csv_knob(FILE *out, const struct ksmtop_model *m, const struct ksm_knob *knob)
{
	char word[KSM_WORD_MAX], n[32];

	if (knob->kind == KSM_ABI_WORD) {
		bool have = m->state != KSMTOP_GONE &&
			    ksm_snapshot_has(&m->now.counters, knob->id);

		ksm_snapshot_word(&m->now.counters, knob->id, word, sizeof(word));
		csv_word(out, have ? word : NULL);
		return;
	}
	batch_file(m, knob->id, n, sizeof(n));
	fprintf(out, ",%s", strcmp(n, "-") ? n : "");
}

static void csv_host(FILE *out, const struct ksmtop_model *m, unsigned int frame)
{
	csv_common(out, "host", m, frame);
	fputs(",,,,,", out);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(row_figures); i++)
		csv_num(out, row_figures[i].name, host_figure(m, row_figures[i].name));
	for (unsigned int i = 0; i < ksm_knob_count; i++)
		csv_knob(out, m, &ksm_knobs[i]);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(host_figures); i++)
		if (!in_rows(host_figures[i].name))
			csv_num(out, host_figures[i].name, host_figures[i].get(m));
	fputc('\n', out);
}

static unsigned int host_only_columns(void)
{
	unsigned int n = ksm_knob_count;

	for (size_t i = 0; i < KSM_ARRAY_SIZE(host_figures); i++)
		n += !in_rows(host_figures[i].name);
	return n;
}

void batch_csv(FILE *out, const struct ksmtop_model *m, const struct ksmtop_ui *ui,
	       unsigned int frame)
{
	if (frame == 1)
		csv_heading(out);
	csv_host(out, m, frame);
	for (size_t r = 0; r < ui->nshown; r++) {
		const struct ksmtop_row *row = ui->shown[r];
		char word[96];

		csv_common(out, "process", m, frame);
		fprintf(out, ",%d", (int)row->p.pid);
		csv_text(out, row->p.user);
		csv_text(out, row->p.command);
		csv_word(out, row_word(row, "optin", word, sizeof(word)));
		csv_word(out, row_word(row, "group", word, sizeof(word)));
		for (size_t i = 0; i < KSM_ARRAY_SIZE(row_figures); i++)
			csv_num(out, row_figures[i].name, row_figures[i].get(row));
		for (unsigned int i = 0; i < host_only_columns(); i++)
			fputc(',', out);
		fputc('\n', out);
	}
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void json_num(struct json_object *to, const char *name, struct ksmtop_num n)
{
	char text[32];

	if (!n.have) {
		ksm_json_str(to, name, NULL);
	} else if (is_rate(name)) {
		snprintf(text, sizeof(text), "%.3f", n.v);
		json_object_object_add(to, name, json_object_new_double_s(n.v, text));
	} else {
		ksm_json_int(to, name, (int64_t)n.v);
	}
}

static void json_files(struct json_object *to, const struct ksmtop_model *m)
{
	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		unsigned int id = ksm_knobs[i].id;

		if (m->state == KSMTOP_GONE || !ksm_snapshot_has(&m->now.counters, id))
			continue;
		if (ksm_knobs[i].kind == KSM_ABI_WORD) {
			char word[KSM_WORD_MAX];

			ksm_snapshot_word(&m->now.counters, id, word, sizeof(word));
			ksm_json_str(to, ksm_knobs[i].name, word);
		} else {
			ksm_json_int(to, ksm_knobs[i].name, ksm_snapshot_get(&m->now.counters, id));
		}
	}
}

static void json_rows(struct json_object *root, const struct ksmtop_ui *ui)
{
	struct json_object *rows = ksm_json_arr(root, "processes");

	for (size_t r = 0; r < ui->nshown; r++) {
		struct json_object *o = json_object_new_object();
		char word[96];

		ksm_json_int(o, "pid", ui->shown[r]->p.pid);
		ksm_json_str(o, "user", ui->shown[r]->p.user);
		ksm_json_str(o, "comm", ui->shown[r]->p.command);
		ksm_json_str(o, "opt_in", row_word(ui->shown[r], "optin", word, sizeof(word)));
		ksm_json_str(o, "group", row_word(ui->shown[r], "group", word, sizeof(word)));
		for (size_t i = 0; i < KSM_ARRAY_SIZE(row_figures); i++)
			json_num(o, row_figures[i].name, row_figures[i].get(ui->shown[r]));
		json_object_array_add(rows, o);
	}
}

void batch_json(FILE *out, const struct ksmtop_model *m, const struct ksmtop_ui *ui,
		unsigned int frame)
{
	struct json_object *root = json_object_new_object();
	struct json_object *notes;
	char when[32];

	batch_time(m, when, sizeof(when));
	ksm_json_uint(root, "frame", frame);
	ksm_json_str(root, "time", when);
	ksm_json_str(root, "backend", m->now.backend);
	ksm_json_str(root, "kernel", m->now.kernel);
	ksm_json_str(root, "state", model_state_name(m->state));
	json_files(ksm_json_obj(root, "files"), m);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(host_figures); i++)
		json_num(root, host_figures[i].name, host_figures[i].get(m));
	notes = ksm_json_arr(root, "notes");
	for (int i = 0; i < m->now.nnotes; i++)
		json_object_array_add(notes, json_object_new_string(m->now.notes[i]));
	json_rows(root, ui);
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}
