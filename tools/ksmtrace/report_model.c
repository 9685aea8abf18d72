// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_model.h"

#include <stdlib.h>
#include <string.h>

struct report *report_new(uint64_t start)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->start = r->end = start;
	series_init(&r->series, start);
	if (procs_init(&r->procs) || sample_init(&r->live, LIVE_MAX) ||
	    sample_init(&r->frames, FRAMES_MAX) || sample_init(&r->removed, FRAMES_MAX)) {
		report_free(r);
		return NULL;
	}
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	procs_free(&r->procs);
	sample_free(&r->live);
	sample_free(&r->frames);
	sample_free(&r->removed);
	free(r);
}

/* What a page of a process is remembered by. */
static uint64_t page_key(const struct ksm_event *e)
{
	uint64_t space = e->mm ? e->mm : (uint64_t)e->tgid | UINT64_C(1) << 32;
	uint64_t key = sample_mix(sample_mix(space) + e->address);

	return key ? key : 1;
}

static uint64_t frame_key(uint64_t kpfn)
{
	return kpfn + 1 ? kpfn + 1 : 1;
}

static struct sample_entry *frame_of(struct report *r, uint64_t kpfn)
{
	return kpfn ? sample_insert(&r->frames, frame_key(kpfn), sample_fold(kpfn)) : NULL;
}

/* It left, and nobody saw how. */
static void leave(struct report *r, struct sample_entry *page)
{
	r->procs.all[page->who].tally.gone += sample_weight(&r->live);
	page->who |= REPORT_BROKEN;
}

static void on_merge(struct report *r, const struct ksm_event *e, struct tally *t, uint32_t proc)
{
	struct sample_entry *frame = frame_of(r, e->pfn), *page;

	if (e->type == KSM_EVENT_NEW_PAGE)
		t->new_pages++;
	else
		t->merges++;
	if (frame) {
		frame->who++;
		frame->births += e->type == KSM_EVENT_NEW_PAGE;
	}
	page = sample_insert(&r->live, page_key(e), sample_fold(e->pfn));
	if (!page)
		return;
	if (page->time && !(page->who & REPORT_BROKEN))
		leave(r, page);
	else if (page->time)
		t->again += sample_weight(&r->live);
	page->who = proc;
	page->frame = sample_fold(e->pfn);
	page->time = e->time;
}

/* 0 is a latency that the hook could not measure. */
static void on_latency(struct report *r, const struct ksm_event *e, struct tally *t)
{
	if (!e->n64)
		return;
	if (e->n32 == KSM_COW_UNMERGE) {
		hist_add(&r->unmerge_latency, e->n64, 1);
		return;
	}
	t->timed++;
	t->latency += e->n64;
	if (e->n64 > t->latency_max)
		t->latency_max = e->n64;
	hist_add(&r->latency, e->n64, 1);
}

static void on_break(struct report *r, const struct ksm_event *e, struct tally *t)
{
	struct sample_entry *page = sample_find(&r->live, page_key(e));
	struct sample_entry *frame = frame_of(r, e->pfn);
	uint64_t weight = sample_weight(&r->live);

	if (e->n32 == KSM_COW_UNMERGE)
		t->unmerged++;
	else
		t->breaks++;
	on_latency(r, e, t);
	if (frame)
		frame->breaks++;
	if (!page || page->who & REPORT_BROKEN)
		return;
	page->who |= REPORT_BROKEN;
	t->churned += weight;
	t->stayed += weight * (e->time - page->time);
	hist_add(&r->stay, e->time - page->time, weight);
}

/* Told some time after a break as well: then the page is not ours any more. */
static void on_removed(struct report *r, const struct ksm_event *e)
{
	struct sample_entry *page = sample_find(&r->live, page_key(e));

	if (page && !(page->who & REPORT_BROKEN))
		leave(r, page);
}

static void on_page_removed(struct report *r, const struct ksm_event *e)
{
	struct sample_entry *frame =
		sample_insert(&r->removed, frame_key(e->pfn), sample_fold(e->pfn));

	if (frame)
		frame->time = e->time;
}

/* No counter of a real machine is beyond; sums of these cannot overflow, as bytes neither. */
static int64_t sane(int64_t value)
{
	const int64_t limit = INT64_C(1) << 48;

	return value > limit ? limit : value < -limit ? -limit : value;
}

static void on_counter(struct report *r, const struct ksm_event *e)
{
	struct report_host *host = &r->hosts[e->mm];
	struct series_point *point;

	if (!e->n32 || e->n32 >= KSM_ABI_COUNT)
		return;
	host->last.value[e->n32] = sane(e->n64);
	host->last.present |= UINT64_C(1) << e->n32;
	if (!ksm_snapshot_has(&host->first, e->n32)) {
		host->first.value[e->n32] = sane(e->n64);
		host->first.present |= UINT64_C(1) << e->n32;
	}
	if (e->n32 != KSM_ABI_PAGES_SHARING && e->n32 != KSM_ABI_KSM_ZERO_PAGES)
		return;
	point = series_at(&r->series, e->time);
	point->has_saved = true;
	point->saved = report_saved_last(r);
}

static void on_scanner(struct report *r, const struct ksm_event *e)
{
	struct report_host *host = &r->hosts[e->mm];

	if (!host->scanner_first.type)
		host->scanner_first = *e;
	host->scanner_last = *e;
}

static void count_lost(struct report *r, const struct ksm_event *e)
{
	struct report_type *type = e->n32 < KSM_EVENT_MAX ? &r->types[e->n32] : NULL;

	r->lost += e->n64;
	if (!type)
		return;
	type->lost += e->n64;
	/* A cause that a later version told. */
	type->lost_by[e->address < KSM_LOST_MAX ? e->address : KSM_LOST_UNTOLD] += e->n64;
}

static void count(struct report *r, const struct ksm_event *e)
{
	struct report_type *type = &r->types[e->type];

	if (!type->count++)
		type->first = e->time;
	type->last = e->time;
	r->events++;
	r->end = e->time;
	/* As record counts them. */
	if (e->type < KSM_EVENT_COUNTER && e->type != KSM_EVENT_LOST)
		r->happened++;
	if (e->type == KSM_EVENT_LOST)
		count_lost(r, e);
}

/* What happened to pages: it goes to the process and into the course of time. */
static void on_page(struct report *r, const struct ksm_event *e)
{
	uint32_t proc = procs_of(&r->procs, e);
	struct tally *t = &r->procs.all[proc].tally;

	switch (e->type) {
	case KSM_EVENT_MERGE:
	case KSM_EVENT_NEW_PAGE:
		on_merge(r, e, t, proc);
		series_at(&r->series, e->time)->merged++;
		break;
	case KSM_EVENT_ZERO_MERGE:
		t->zero++;
		series_at(&r->series, e->time)->merged++;
		break;
	case KSM_EVENT_MERGE_FAILED:
		t->failed++;
		break;
	case KSM_EVENT_COW_BREAK:
		on_break(r, e, t);
		series_at(&r->series, e->time)->broken++;
		break;
	case KSM_EVENT_RMAP_REMOVED:
		on_removed(r, e);
		break;
	case KSM_EVENT_PAGE_REMOVED:
		on_page_removed(r, e);
		break;
	case KSM_EVENT_SWAPIN_COPY:
		t->swapins++;
		break;
	default:
		break;
	}
}

int report_feed(void *ctx, const struct ksm_event *e)
{
	struct report *r = ctx;

	/* The reader knows only our types, and sorts; a fuzzer's trace is no reason to trust it. */
	if (!e->type || e->type >= KSM_EVENT_MAX)
		return 0;
	count(r, e);
	switch (e->type) {
	case KSM_EVENT_COUNTER:
		if (e->mm < REPORT_BACKENDS)
			on_counter(r, e);
		break;
	case KSM_EVENT_SCANNER:
		if (e->mm < REPORT_BACKENDS)
			on_scanner(r, e);
		break;
	default:
		procs_feed(&r->procs, e);
		on_page(r, e);
		passes_feed(&r->passes, e);
	}
	return 0;
}

static int by_frame(const void *a, const void *b)
{
	const struct sample_entry *x = a, *y = b;

	if (x->frame != y->frame)
		return x->frame < y->frame ? -1 : 1;
	return x->who < y->who ? -1 : x->who > y->who;
}

/*
 * Where the removal of single items cannot be hooked, or the scanner had not come to it yet: pages
 * of a process that ended, and pages whose KSM page is no more, are mapped no longer.
 */
static void find_left(struct report *r)
{
	for (size_t i = 0; i < r->live.size; i++) {
		struct sample_entry *page = &r->live.slots[i], *frame;

		if (!page->key || page->who & REPORT_BROKEN)
			continue;
		frame = sample_find(&r->removed, frame_key(page->frame));
		if (r->procs.all[page->who].left > page->time ||
		    (frame && frame->time > page->time))
			leave(r, page);
	}
}

void report_finish(struct report *r)
{
	find_left(r);
	r->live_count = sample_sort(&r->live, by_frame);
	series_at(&r->series, r->end);
	series_finish(&r->series);
	for (size_t i = 0; i < r->procs.count; i++)
		tally_add(&r->total, &r->procs.all[i].tally);
}

int64_t report_saved(const struct ksm_counters_snapshot *s)
{
	struct ksm_derived derived;

	ksm_derive(s, &derived);
	return derived.saved_pages;
}

int64_t report_saved_first(const struct report *r)
{
	return report_saved(&r->hosts[0].first) + report_saved(&r->hosts[1].first);
}

int64_t report_saved_last(const struct report *r)
{
	return report_saved(&r->hosts[0].last) + report_saved(&r->hosts[1].last);
}
