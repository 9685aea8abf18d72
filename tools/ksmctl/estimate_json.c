// SPDX-License-Identifier: GPL-2.0
#include "ksmctl/estimate.h"
#include "lib/json.h"

static void add_figure(struct json_object *to, const char *key, const struct ksm_figure *f)
{
	struct json_object *o = ksm_json_obj(to, key);

	ksm_json_int(o, "pages", (int64_t)(f->value + 0.5));
	ksm_json_int(o, "low", (int64_t)(f->low + 0.5));
	ksm_json_int(o, "high", (int64_t)(f->high + 0.5));
}

static void add_scope(struct json_object *root, const char *key, const struct ksm_scope_result *s,
		      const struct estimate_cost *cost)
{
	struct json_object *o = ksm_json_obj(root, key);

	ksm_json_uint(o, "pages", s->pages);
	ksm_json_uint(o, "zero_pages", s->zero);
	add_figure(o, "contents", &s->contents);
	add_figure(o, "duplicates_inside", &s->inside);
	add_figure(o, "duplicates_across", &s->across);
	add_figure(o, "already_shared", &s->already);
	add_figure(o, "saving", &s->saving);
	add_figure(o, "saving_within_users", &s->saving_within_users);
	ksm_json_int(o, "saving_bytes", (int64_t)(s->saving.value + 0.5) * ksm_page_size());
	ksm_json_int(o, "metadata_bytes_max", cost->metadata_bytes);
	ksm_json_uint(o, "full_scan_ns", cost->scan.full_scan_ns);
	ksm_json_double(o, "cpu_percent", cost->scan.cpu_percent);
}

static void add_stats(struct json_object *root, const struct estimate_stats *s)
{
	struct json_object *o = ksm_json_obj(root, "not_read");

	ksm_json_uint(o, "processes_ended", s->exited);
	ksm_json_uint(o, "processes_denied", s->denied);
	ksm_json_uint(o, "pages_swapped", s->swapped);
	ksm_json_uint(o, "pages_gone", s->gone);
	ksm_json_uint(o, "pages_unreadable", s->unreadable);
	ksm_json_uint(o, "pages_zero_mapped", s->zero_mapped);
	ksm_json_uint(root, "huge_page_bytes", s->thp_bytes);
	ksm_json_uint(root, "shared_mapping_bytes", s->shared_bytes);
	ksm_json_uint(root, "hugetlb_bytes", s->hugetlb_bytes);
	ksm_json_bool(root, "already_shared_known", !s->no_frames);
}

static void add_targets(struct json_object *root, const struct ksm_estimate_result *r)
{
	struct json_object *list = ksm_json_arr(root, "processes");

	for (size_t i = 0; i < r->target_count; i++) {
		const struct ksm_target_result *t = &r->targets[i];
		struct json_object *o = json_object_new_object();

		ksm_json_int(o, "pid", t->target.pid);
		ksm_json_uint(o, "uid", t->target.uid);
		ksm_json_str(o, "comm", t->target.name);
		ksm_json_uint(o, "pages", t->pages);
		ksm_json_uint(o, "zero_pages", t->zero);
		ksm_json_uint(o, "mergeable_pages", t->mergeable);
		ksm_json_int(o, "contents", (int64_t)(t->contents + 0.5));
		ksm_json_int(o, "shared_contents", (int64_t)(t->shared + 0.5));
		json_object_array_add(list, o);
	}
}

static void add_pairs(struct json_object *root, const struct ksm_estimate_result *r)
{
	struct json_object *list = ksm_json_arr(root, "pairs");

	for (size_t i = 0; i < r->pair_count; i++) {
		struct json_object *o = json_object_new_object();

		ksm_json_int(o, "pid", r->targets[r->pairs[i].a].target.pid);
		ksm_json_int(o, "other_pid", r->targets[r->pairs[i].b].target.pid);
		ksm_json_int(o, "contents", (int64_t)(r->pairs[i].pages + 0.5));
		json_object_array_add(list, o);
	}
}

int estimate_json(const struct estimate_report *r)
{
	struct json_object *root = json_object_new_object();

	ksm_json_str(root, "backend", r->b ? r->b->name : NULL);
	ksm_json_int(root, "page_size", ksm_page_size());
	ksm_json_uint(root, "elapsed_ns", r->elapsed_ns);
	ksm_json_bool(root, "interrupted", r->interrupted);
	ksm_json_double(root, "sample_asked", r->sample);
	ksm_json_double(root, "sample_kept", r->r.part);
	ksm_json_uint(root, "contents_kept", r->r.kept);
	add_scope(root, "now", &r->r.scopes[KSM_SCOPE_NOW], &r->cost_now);
	add_scope(root, "everything", &r->r.scopes[KSM_SCOPE_ALL], &r->cost);
	ksm_json_double(root, "ns_per_page", r->cost.scan.ns_page);
	ksm_json_bool(root, "ns_per_page_measured", r->cost.scan.known);
	add_stats(root, r->stats);
	add_targets(root, &r->r);
	add_pairs(root, &r->r);
	ksm_json_str(root, "verdict", r->verdict);
	return ksm_json_print(root) ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}
