// SPDX-License-Identifier: GPL-2.0
#include "lib/estimate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "lib/estimate_priv.h"
#include "lib/util.h"

/* Two-sided 95 % of a normal distribution. */
#define Z95 1.96

/**
 * struct tally - exact counts of a scope
 * @pages: read, zero pages included
 * @zero: of these
 * @shared: whose frame is mapped more than once and known
 * @zero_user: zero pages of the user being read
 * @zero_kept: frames that the zero pages of the users before need when they merge among themselves
 */
struct tally {
	uint64_t pages;
	uint64_t zero;
	uint64_t shared;
	uint64_t zero_user;
	uint64_t zero_kept;
};

struct ksm_estimate {
	struct ksm_estimate_options options;
	uint64_t zero_hash;
	struct contents contents;
	struct frames frames;
	struct pairs pairs;
	struct tally tallies[KSM_SCOPE_COUNT];
	struct ksm_target_result *targets;
	size_t target_count;
	size_t target_capacity;
	double target_kept; /* contents of the current target that are in the table */
};

struct ksm_estimate *ksm_estimate_new(const struct ksm_estimate_options *options)
{
	struct ksm_estimate *e = calloc(1, sizeof(*e));
	void *zero = calloc(1, options->page_size);
	int ret = e && zero ? 0 : -ENOMEM;

	if (!ret) {
		e->options = *options;
		if (!e->options.contents_max)
			e->options.contents_max = KSM_ESTIMATE_CONTENTS_MAX;
		e->zero_hash = XXH3_64bits_withSeed(zero, options->page_size, options->seed);
		ret = contents_init(&e->contents, e->options.contents_max);
	}
	ret = ret ? ret : frames_init(&e->frames, options->seed);
	ret = ret ? ret : pairs_init(&e->pairs);
	free(zero);
	if (!ret)
		return e;
	ksm_estimate_free(e);
	return NULL;
}

void ksm_estimate_free(struct ksm_estimate *e)
{
	if (!e)
		return;
	contents_free(&e->contents);
	frames_free(&e->frames);
	pairs_free(&e->pairs);
	free(e->targets);
	free(e);
}

/* Make room: down to the sample that was asked for once enough is kept, below it only when full. */
static void make_room(struct ksm_estimate *e)
{
	struct contents *c = &e->contents;
	double sample = e->options.sample, part;

	for (;;) {
		bool more = c->part > sample;
		uint32_t bound = more && 2 * KSM_ESTIMATE_CONTENTS_MIN < c->max ?
					 2 * KSM_ESTIMATE_CONTENTS_MIN :
					 c->max;

		if (c->count < bound)
			return;
		part = c->part / 2;
		if (more && part < sample)
			part = sample;
		e->target_kept *= part / c->part;
		contents_shrink(c, part);
	}
}

static void count_up(uint16_t *counter)
{
	*counter += *counter < UINT16_MAX;
}

static void see_content(struct ksm_estimate *e, struct content *row, unsigned int scope)
{
	uint32_t self = (uint32_t)e->target_count, last = row->last[scope];

	row->pages[scope] += row->pages[scope] < UINT32_MAX;
	if (last == self)
		return;
	count_up(&row->procs[scope]);
	if (!last || e->targets[last - 1].target.uid != e->targets[self - 1].target.uid)
		count_up(&row->uids[scope]);
	row->last[scope] = self;
	if (scope != KSM_SCOPE_ALL)
		return;
	e->target_kept++;
	pairs_add(&e->pairs, row->hash, self - 1);
}

static int see_page(struct ksm_estimate *e, const struct ksm_page *page, uint64_t hash)
{
	struct ksm_target_result *target = &e->targets[e->target_count - 1];
	bool now = page->flags & KSM_PAGE_MERGEABLE, zero = hash == e->zero_hash;
	bool shared = page->flags & KSM_PAGE_SHARED && page->pfn;
	struct content *row;

	for (unsigned int scope = 0; scope <= now; scope++) {
		e->tallies[scope].pages++;
		e->tallies[scope].zero += zero;
		e->tallies[scope].zero_user += zero;
		e->tallies[scope].shared += shared;
	}
	target->pages++;
	target->zero += zero;
	target->mergeable += now;
	if (shared && frames_add(&e->frames, page->pfn, now))
		return -ENOMEM;
	if (zero || hash > e->contents.limit)
		return 0;
	make_room(e);
	if (hash > e->contents.limit)
		return 0;
	row = contents_get(&e->contents, hash);
	for (unsigned int scope = 0; scope <= now; scope++)
		see_content(e, row, scope);
	return 0;
}

static uint64_t copies(uint64_t pages, int64_t max_sharing)
{
	uint64_t max = max_sharing > 1 ? (uint64_t)max_sharing : 1;

	return (pages + max - 1) / max;
}

static void end_target(struct ksm_estimate *e)
{
	if (e->target_count)
		e->targets[e->target_count - 1].contents = e->target_kept / e->contents.part;
	e->target_kept = 0;
}

static void end_user(struct ksm_estimate *e)
{
	for (unsigned int scope = 0; scope < KSM_SCOPE_COUNT; scope++) {
		struct tally *t = &e->tallies[scope];

		t->zero_kept += copies(t->zero_user, e->options.max_page_sharing);
		t->zero_user = 0;
	}
}

static int begin_target(struct ksm_estimate *e, const struct ksm_target *target)
{
	size_t capacity = e->target_capacity ? e->target_capacity * 2 : 64;
	struct ksm_target_result *targets;

	end_target(e);
	if (e->target_count && e->targets[e->target_count - 1].target.uid != target->uid)
		end_user(e);
	if (e->target_count == e->target_capacity) {
		targets = reallocarray(e->targets, capacity, sizeof(*targets));
		if (!targets)
			return -ENOMEM;
		e->targets = targets;
		e->target_capacity = capacity;
	}
	e->targets[e->target_count++] = (struct ksm_target_result){ .target = *target };
	return 0;
}

static int see_batch(struct ksm_estimate *e, const struct ksm_page_batch *batch)
{
	int ret = 0;

	for (size_t i = 0; i < batch->count && !ret; i++)
		ret = see_page(e, &batch->pages[i],
			       XXH3_64bits_withSeed(batch->data + i * e->options.page_size,
						    e->options.page_size, e->options.seed));
	return ret;
}

int ksm_estimate_run(struct ksm_estimate *e, struct ksm_page_source *source,
		     int (*progress)(uint64_t pages, void *ctx), void *ctx)
{
	struct ksm_page_batch *batch = calloc(1, sizeof(*batch));
	struct ksm_target target = { 0 };
	int ret = batch ? 0 : -ENOMEM;

	while (!ret) {
		ret = source->next_target(source, &target);
		if (ret <= 0)
			break;
		ret = begin_target(e, &target);
		while (!ret) {
			batch->count = 0;
			ret = source->next_pages(source, batch);
			if (ret <= 0)
				break;
			ret = see_batch(e, batch);
			if (!ret && progress)
				ret = progress(e->tallies[KSM_SCOPE_ALL].pages, ctx);
		}
	}
	end_target(e);
	end_user(e);
	free(batch);
	return ret;
}

/**
 * struct sums - what the kept contents add up to, and the squares for the variance
 */
struct sums {
	double contents;
	double copies;
	double procs, procs2;
	double uids, uids2;
	double uid_copies;
};

static void add_up(const struct ksm_estimate *e, unsigned int scope, struct sums *s)
{
	const struct contents *c = &e->contents;

	for (uint32_t i = 0; i < c->count; i++) {
		const struct content *row = &c->rows[i];
		double kept, uids = row->uids[scope], procs = row->procs[scope];

		if (!row->pages[scope])
			continue;
		kept = (double)copies(row->pages[scope], e->options.max_page_sharing);
		s->contents++;
		s->copies += kept - 1;
		s->procs += procs;
		s->procs2 += procs * procs;
		s->uids += uids;
		s->uids2 += uids * uids;
		/* Each user's share is not kept: this is the least that it can be, and too small
		 * by less than a page for each user of such a content.
		 */
		s->uid_copies += kept > uids ? kept - uids : 0;
	}
}

static struct ksm_figure figure(double value, double less, double more, double max)
{
	struct ksm_figure f = { value, value - less, value + more };

	f.value = fmin(fmax(f.value, 0), max);
	f.low = fmin(fmax(f.low, 0), max);
	f.high = fmin(fmax(f.high, 0), max);
	return f;
}

/**
 * saving() - frames in use minus frames that stay
 * @frames: in use, of pages that take part
 * @variance: of @frames
 * @kept: contents that stay, one frame each
 * @kept_variance: of that
 * @extra: further frames of contents beyond max_page_sharing
 * @bound: what @extra is at most; equal to it when it is exact
 */
static struct ksm_figure saving(double frames, double variance, double kept, double kept_variance,
				double extra, double bound)
{
	double half = Z95 * sqrt(variance + kept_variance);
	bool exact = kept_variance == 0;

	if (extra > bound)
		extra = bound;
	return figure(frames - kept - extra, half + (exact ? 0 : bound - extra),
		      half + (exact ? 0 : extra), frames);
}

static void finish_scope(const struct ksm_estimate *e, unsigned int scope,
			 struct ksm_scope_result *r)
{
	const struct tally *t = &e->tallies[scope];
	bool to_zero_page = scope == KSM_SCOPE_ALL || e->options.use_zero_pages;
	double part = e->contents.part, spread = (1 - part) / (part * part), variance;
	double plain = (double)(t->pages - t->zero), max = (double)e->options.max_page_sharing;
	double zero_kept = to_zero_page ? 0 : copies(t->zero, e->options.max_page_sharing);
	double zero_users = to_zero_page ? 0 : (double)t->zero_kept;
	struct sums s = { 0 };
	double frames, already;

	add_up(e, scope, &s);
	already = (double)t->shared - frames_count(&e->frames, scope, &variance);
	frames = (double)t->pages - already;
	r->pages = t->pages;
	r->zero = t->zero;
	r->already = figure(already, Z95 * sqrt(variance), Z95 * sqrt(variance), (double)t->pages);
	r->contents = figure(s.contents / part, Z95 * sqrt(s.contents * spread),
			     Z95 * sqrt(s.contents * spread), plain);
	r->inside = figure(plain - s.procs / part, Z95 * sqrt(s.procs2 * spread),
			   Z95 * sqrt(s.procs2 * spread), plain);
	r->across = figure((s.procs - s.contents) / part, Z95 * sqrt(s.procs2 * spread),
			   Z95 * sqrt(s.procs2 * spread), plain);
	r->saving = saving(frames - zero_kept, variance, s.contents / part, s.contents * spread,
			   s.copies / part, fmax(plain - s.contents / part, 0) / max);
	r->saving_within_users =
		saving(frames - zero_users, variance, s.uids / part, s.uids2 * spread,
		       s.uid_copies / part, fmax(plain - s.uids / part, 0) / max);
}

int ksm_estimate_finish(struct ksm_estimate *e, struct ksm_estimate_result *r)
{
	memset(r, 0, sizeof(*r));
	for (unsigned int scope = 0; scope < KSM_SCOPE_COUNT; scope++)
		finish_scope(e, scope, &r->scopes[scope]);
	r->part = e->contents.part;
	r->kept = e->contents.count;
	r->targets = e->targets;
	r->target_count = e->target_count;
	return pairs_finish(&e->pairs, e->targets, e->target_count, r->pairs, &r->pair_count);
}
