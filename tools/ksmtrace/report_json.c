// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_limits.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/latency.h"
#include "lib/trace_types.h"

/* Times as elsewhere in JSON: nanoseconds, since the start of the recording. */
static uint64_t since(const struct report_view *v, uint64_t time)
{
	return time > v->r->start ? time - v->r->start : 0;
}

static void put_recording(const struct report_view *v, struct json_object *to)
{
	static const char *const keys[] = { "kernel_release", "kernel_version", "machine",
					    "backend",	      "tracer_version", "filter" };

	ksm_json_str(to, "directory", v->dir);
	ksm_json_uint(to, "start_monotonic_ns", v->r->start);
	ksm_json_int(to, "start_wall_ns", v->r->start + v->info->wall_offset);
	ksm_json_uint(to, "duration_ns", v->r->end - v->r->start);
	ksm_json_int(to, "page_size", v->page_size);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(keys); i++)
		ksm_json_str(to, keys[i], ksm_trace_env_get(v->info, keys[i]));
	ksm_json_str(to, "ends_early", v->cut);
}

static void put_causes(struct json_object *to, const uint64_t *by)
{
	for (unsigned int cause = 0; cause < KSM_LOST_MAX; cause++)
		if (by[cause])
			ksm_json_uint(to, ksm_lost_cause_name(cause), by[cause]);
}

static void put_events(const struct report_view *v, struct json_object *to)
{
	struct json_object *types = ksm_json_arr(to, "types");

	ksm_json_uint(to, "count", v->r->happened);
	ksm_json_uint(to, "records", v->r->events);
	ksm_json_uint(to, "lost", v->r->lost);
	for (unsigned int type = 1; type < KSM_EVENT_MAX; type++) {
		const struct report_type *t = &v->r->types[type];
		struct json_object *one = json_object_new_object();

		ksm_json_str(one, "event", ksm_event_name(type));
		ksm_json_uint(one, "count", t->count);
		ksm_json_uint(one, "lost", t->lost);
		if (t->lost)
			put_causes(ksm_json_obj(one, "lost_by"), t->lost_by);
		if (t->count) {
			ksm_json_uint(one, "first_ns", since(v, t->first));
			ksm_json_uint(one, "last_ns", since(v, t->last));
		}
		ksm_json_str(one, "hook", report_hook(v, type));
		json_object_array_add(types, one);
	}
}

static void put_tally(struct json_object *to, const struct tally *t)
{
	ksm_json_uint(to, "at_start", t->before);
	ksm_json_uint(to, "new_pages", t->new_pages);
	ksm_json_uint(to, "merges", t->merges);
	ksm_json_uint(to, "zero_merges", t->zero);
	ksm_json_uint(to, "failed", t->failed);
	ksm_json_uint(to, "breaks", t->breaks);
	ksm_json_uint(to, "unmerged", t->unmerged);
	ksm_json_uint(to, "gone", t->gone);
	ksm_json_int(to, "net", tally_net(t));
	ksm_json_uint(to, "broken_again", t->churned);
	ksm_json_uint(to, "merged_anew", t->again);
	ksm_json_uint(to, "stayed_mean_ns", t->churned ? t->stayed / t->churned : 0);
	ksm_json_uint(to, "latency_mean_ns", t->timed ? t->latency / t->timed : 0);
	ksm_json_uint(to, "latency_max_ns", t->latency_max);
	ksm_json_uint(to, "swapin_copies", t->swapins);
}

static void put_hist(struct json_object *to, const struct hist *h)
{
	struct json_object *buckets;

	ksm_json_uint(to, "count", h->count);
	ksm_json_uint(to, "total_ns", h->sum);
	ksm_json_uint(to, "mean_ns", hist_mean(h));
	ksm_json_uint(to, "min_ns", h->min);
	ksm_json_uint(to, "p50_ns", hist_percentile(h, 50));
	ksm_json_uint(to, "p90_ns", hist_percentile(h, 90));
	ksm_json_uint(to, "p99_ns", hist_percentile(h, 99));
	ksm_json_uint(to, "p999_ns", hist_percentile(h, 99.9));
	ksm_json_uint(to, "max_ns", h->max);
	buckets = ksm_json_arr(to, "histogram");
	for (unsigned int i = 0; i < KSM_LATENCY_SLOTS; i++) {
		struct json_object *one;

		if (!h->slot[i])
			continue;
		one = json_object_new_object();
		ksm_json_uint(one, "from_ns", ksm_latency_value(i));
		ksm_json_uint(one, "count", h->slot[i]);
		json_object_array_add(buckets, one);
	}
}

static void put_saved(const struct report_view *v, struct json_object *to)
{
	const struct series *s = &v->r->series;
	struct json_object *points;

	ksm_json_int(to, "start_bytes", report_saved_first(v->r) * v->page_size);
	ksm_json_int(to, "end_bytes", report_saved_last(v->r) * v->page_size);
	ksm_json_uint(to, "step_ns", s->step);
	points = ksm_json_arr(to, "over_time");
	for (unsigned int i = 0; i < s->used; i++) {
		struct json_object *one = json_object_new_object();

		ksm_json_int(one, "saved_bytes", s->points[i].saved * v->page_size);
		ksm_json_uint(one, "merged", s->points[i].merged);
		ksm_json_uint(one, "broken", s->points[i].broken);
		json_object_array_add(points, one);
	}
}

static void put_scanner(const struct report_host *host, struct json_object *to)
{
	const struct ksm_event *a = &host->scanner_first, *b = &host->scanner_last;
	struct json_object *scanner;

	if (!a->type)
		return;
	scanner = ksm_json_obj(to, "scanner");
	ksm_json_uint(scanner, "pid", b->n32);
	ksm_json_uint(scanner, "cpu_ns", b->n64 - a->n64);
	ksm_json_uint(scanner, "over_ns", b->time - a->time);
	ksm_json_uint(scanner, "psi_memory_us", b->address - a->address);
	ksm_json_uint(scanner, "psi_cpu_us", b->pfn - a->pfn);
}

static void put_hosts(const struct report_view *v, struct json_object *to)
{
	for (unsigned int i = 0; i < REPORT_BACKENDS; i++) {
		const struct report_host *host = &v->r->hosts[i];
		struct json_object *one, *start, *end;

		if (!host->last.present && !host->scanner_first.type)
			continue;
		one = json_object_new_object();
		ksm_json_str(one, "backend", ksm_backend_kind_name(i));
		put_scanner(host, one);
		start = ksm_json_obj(one, "start");
		end = ksm_json_obj(one, "end");
		for (unsigned int k = 0; k < ksm_knob_count; k++) {
			unsigned int id = ksm_knobs[k].id;

			if (!ksm_snapshot_has(&host->last, id))
				continue;
			ksm_json_int(start, ksm_knobs[k].name, host->first.value[id]);
			ksm_json_int(end, ksm_knobs[k].name, host->last.value[id]);
		}
		json_object_array_add(to, one);
	}
}

static void put_passes(const struct report_view *v, struct json_object *to)
{
	const struct passes *p = &v->r->passes;
	struct json_object *list;

	ksm_json_uint(to, "count", p->count);
	ksm_json_uint(to, "merged", p->merged);
	ksm_json_uint(to, "pages", p->items);
	put_hist(ksm_json_obj(to, "duration"), &p->durations);
	list = ksm_json_arr(to, "most_merged");
	for (size_t i = 0; i < p->kept_count; i++) {
		const struct pass *pass = &p->kept[i];
		struct json_object *one = json_object_new_object();

		ksm_json_uint(one, "number", pass->number);
		ksm_json_uint(one, "seq", pass->seq);
		ksm_json_uint(one, "start_ns", since(v, pass->start));
		ksm_json_uint(one, "duration_ns", pass->duration);
		ksm_json_uint(one, "pages", pass->items);
		ksm_json_uint(one, "merged", pass->merged);
		ksm_json_uint(one, "failed", pass->failed);
		ksm_json_uint(one, "breaks", pass->breaks);
		json_object_array_add(list, one);
	}
}

static void put_pair_member(const struct report_view *v, struct json_object *to, uint32_t number)
{
	const struct report_row *row = &v->rows.rows[number];
	struct json_object *one = json_object_new_object();

	ksm_json_str(one, "name", row->name);
	if (row->tgid)
		ksm_json_uint(one, "pid", row->tgid);
	json_object_array_add(to, one);
}

static void put_sharing(const struct report_view *v, struct json_object *to)
{
	static const unsigned int limits[SHARERS_CLASSES] = { 1, 2, 3, 5, 9, 17 };
	const struct sharing *s = &v->sharing;
	struct json_object *classes, *pairs;

	ksm_json_uint(to, "one_frame_of", s->weight);
	classes = ksm_json_arr(to, "pages_by_sharers");
	for (unsigned int i = 0; i < SHARERS_CLASSES; i++) {
		struct json_object *one = json_object_new_object();

		ksm_json_uint(one, "sharers_from", limits[i]);
		ksm_json_uint(one, "pages", s->classes[i]);
		json_object_array_add(classes, one);
	}
	ksm_json_uint(to, "pairs", s->count);
	pairs = ksm_json_arr(to, "top");
	for (size_t i = 0; i < s->count && i < v->top; i++) {
		struct json_object *one = json_object_new_object(), *who;

		ksm_json_uint(one, "pages", s->pairs[i].frames);
		who = ksm_json_arr(one, "between");
		put_pair_member(v, who, s->pairs[i].a);
		put_pair_member(v, who, s->pairs[i].b);
		json_object_array_add(pairs, one);
	}
}

static void put_rows(const struct report_view *v, struct json_object *to)
{
	for (size_t i = 0; i < v->rows.sorted_count && i < v->top; i++) {
		const struct report_row *row = &v->rows.rows[v->rows.sorted[i]];
		struct json_object *one = json_object_new_object();

		ksm_json_str(one, "name", row->name);
		if (row->tgid)
			ksm_json_uint(one, "pid", row->tgid);
		ksm_json_uint(one, "processes", row->processes);
		put_tally(one, &row->tally);
		ksm_json_uint(one, "shared_with_none", v->sharing.alone[v->rows.sorted[i]]);
		json_object_array_add(to, one);
	}
}

static void put_frames(const struct report_view *v, struct json_object *to)
{
	ksm_json_uint(to, "one_frame_of", sample_weight(&v->r->frames));
	to = ksm_json_arr(to, "top");
	for (size_t i = 0; i < v->frame_count; i++) {
		struct json_object *one = json_object_new_object();

		ksm_json_uint(one, "kpfn", v->frames[i].kpfn);
		ksm_json_uint(one, "ksm_pages", v->frames[i].births);
		ksm_json_uint(one, "merged", v->frames[i].merges);
		ksm_json_uint(one, "breaks", v->frames[i].breaks);
		ksm_json_uint(one, "mapped", v->frames[i].mapped);
		ksm_json_uint(one, "processes", v->frames[i].processes);
		json_object_array_add(to, one);
	}
}

struct json_object *report_to_json(const struct report_view *v)
{
	struct json_object *root = json_object_new_object(), *churn;

	put_recording(v, ksm_json_obj(root, "recording"));
	put_events(v, ksm_json_obj(root, "events"));
	report_put_limits(v->info, root);
	put_saved(v, ksm_json_obj(root, "saved"));
	put_tally(ksm_json_obj(root, "total"), &v->r->total);
	put_hist(ksm_json_obj(root, "break_latency"), &v->r->latency);
	put_hist(ksm_json_obj(root, "unmerge_latency"), &v->r->unmerge_latency);
	churn = ksm_json_obj(root, "churn");
	ksm_json_uint(churn, "one_frame_of", sample_weight(&v->r->live));
	put_hist(ksm_json_obj(churn, "stayed_merged"), &v->r->stay);
	put_passes(v, ksm_json_obj(root, "passes"));
	put_hosts(v, ksm_json_arr(root, "hosts"));
	ksm_json_str(root, "by", report_by_names[v->rows_by]);
	put_rows(v, ksm_json_arr(root, "rows"));
	put_sharing(v, ksm_json_obj(root, "sharing"));
	put_frames(v, ksm_json_obj(root, "frames"));
	return root;
}
