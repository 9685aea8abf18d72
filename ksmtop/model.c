// SPDX-License-Identifier: GPL-2.0
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "lib/latency.h"

static void history_push(struct ksmtop_history *h, struct ksmtop_num n)
{
	/* A gap is shown as a gap: 0 would claim that nothing happened. */
	h->v[h->next] = n.have ? (float)n.v : -1;
	h->next = (h->next + 1) % KSMTOP_HISTORY;
	if (h->count < KSMTOP_HISTORY)
		h->count++;
}

float history_get(const struct ksmtop_history *h, unsigned int age)
{
	if (age >= h->count)
		return -1;
	return h->v[(h->next + KSMTOP_HISTORY - 1 - age) % KSMTOP_HISTORY];
}

float history_max(const struct ksmtop_history *h, unsigned int n)
{
	float max = 0;

	for (unsigned int i = 0; i < n && i < h->count; i++)
		if (history_get(h, i) > max)
			max = history_get(h, i);
	return max;
}

/*
 * Modular subtraction carries a counter over its wrap; a counter that was set back looks like an
 * enormous step instead, which no counter makes between two samples.
 */
static struct ksmtop_num rate(struct ksmtop_count before, struct ksmtop_count now, double seconds)
{
	uint64_t step = now.v - before.v;

	if (!before.have || !now.have || step > UINT64_MAX / 2)
		return (struct ksmtop_num){ 0 };
	return (struct ksmtop_num){ .have = true, .v = (double)step / seconds };
}

static struct ksmtop_num number(double v)
{
	return (struct ksmtop_num){ .have = true, .v = v };
}

static enum ksmtop_state state_of(const struct ksmtop_sample *s)
{
	int64_t run = ksm_snapshot_get(&s->counters, KSM_ABI_RUN);

	if (!s->alive)
		return KSMTOP_GONE;
	if (run & KSM_RUN_OFFLINE)
		return KSMTOP_OFFLINE;
	if (run & KSM_RUN_UNMERGE)
		return KSMTOP_UNMERGING;
	return run & KSM_RUN_MERGE ? KSMTOP_RUNNING : KSMTOP_STOPPED;
}

const char *model_state_name(enum ksmtop_state state)
{
	static const char *const names[] = {
		[KSMTOP_GONE] = "no backend",	     [KSMTOP_STOPPED] = "stopped",
		[KSMTOP_RUNNING] = "running",	     [KSMTOP_UNMERGING] = "unmerged",
		[KSMTOP_OFFLINE] = "memory offline",
	};

	return names[state];
}

static int64_t tracked_pages(const struct ksm_counters_snapshot *c)
{
	return ksm_snapshot_get(c, KSM_ABI_PAGES_SHARED) +
	       ksm_snapshot_get(c, KSM_ABI_PAGES_SHARING) +
	       ksm_snapshot_get(c, KSM_ABI_PAGES_UNSHARED) +
	       ksm_snapshot_get(c, KSM_ABI_PAGES_VOLATILE) +
	       ksm_snapshot_get(c, KSM_ABI_KSM_ZERO_PAGES);
}

static struct ksmtop_count file_count(const struct ksmtop_sample *s, unsigned int id)
{
	return (struct ksmtop_count){
		.have = s->alive && ksm_snapshot_has(&s->counters, id),
		.v = (uint64_t)ksm_snapshot_get(&s->counters, id),
	};
}

/*
 * How far the pass in progress has come. Where it began is known once the count of full scans has
 * changed under our eyes.
 */
static void update_pass(struct ksmtop_model *m, const struct ksmtop_sample *before)
{
	struct ksmtop_count scans = file_count(&m->now, KSM_ABI_FULL_SCANS);
	struct ksmtop_count scanned = file_count(&m->now, KSM_ABI_PAGES_SCANNED);
	struct ksmtop_count old = file_count(before, KSM_ABI_FULL_SCANS);

	m->pass = (struct ksmtop_pass){ 0 };
	if (!scans.have || !scanned.have || scans.v < old.v)
		return;
	m->pass.per_second = number((double)(scans.v - old.v) / m->interval);
	if (scans.v > old.v) {
		double passes = (double)(scans.v - old.v);

		if (m->pass_from.have && (double)scanned.v > m->pass_from.v)
			m->pass_whole = number(((double)scanned.v - m->pass_from.v) / passes);
		m->pass_from = number((double)scanned.v);
	}
	if (!m->pass_from.have || (double)scanned.v < m->pass_from.v)
		return;
	m->pass.have = true;
	m->pass.scanned = (double)scanned.v - m->pass_from.v;
	m->pass.whole = m->pass_whole.have ? m->pass_whole.v : (double)m->tracked;
	if (m->pass.whole < m->pass.scanned)
		m->pass.whole = m->pass.scanned;
	if (m->scan_rate.have && m->scan_rate.v > 0)
		m->pass.left = number((m->pass.whole - m->pass.scanned) / m->scan_rate.v);
}

/* Percentiles of the breaks within the last KSMTOP_LATENCY_SPAN samples. */
static void update_latency(struct ksmtop_model *m)
{
	struct ksmtop_hist *oldest = &m->old_latency[m->latency_next], lately;
	const struct ksmtop_hist *total = m->now.have_latency ? &m->now.latency : &m->ev.latency;

	hist_minus(&lately, total, oldest);
	m->p50 = m->p99 = (struct ksmtop_num){ 0 };
	if (ksm_latency_count(lately.n)) {
		m->p50 = number((double)ksm_latency_percentile(lately.n, 50));
		m->p99 = number((double)ksm_latency_percentile(lately.n, 99));
	}
	*oldest = *total;
	m->latency_next = (m->latency_next + 1) % KSMTOP_LATENCY_SPAN;
}

static void update_rates(struct ksmtop_model *m, const struct ksmtop_sample *before)
{
	const struct ksmtop_sample *s = &m->now;
	double dt;

	if (s->time_ns <= before->time_ns)
		return;
	dt = (double)(s->time_ns - before->time_ns) / 1e9;
	m->interval = dt;
	m->scan_rate = rate(file_count(before, KSM_ABI_PAGES_SCANNED),
			    file_count(s, KSM_ABI_PAGES_SCANNED), dt);
	m->merge_rate = rate(before->merges, s->merges, dt);
	m->break_rate = rate(before->breaks, s->breaks, dt);
	m->cpu = rate(before->scanner_ns, s->scanner_ns, dt * 1e9);
	m->cpu.v *= 100;
	m->efficiency = (struct ksmtop_num){ 0 };
	if (m->scan_rate.have && m->merge_rate.have && m->scan_rate.v > 0)
		m->efficiency = number(m->merge_rate.v / m->scan_rate.v * 1000);
	update_pass(m, before);
	update_latency(m);
	history_push(&m->scan_hist, m->scan_rate);
	history_push(&m->merge_hist, m->merge_rate);
	history_push(&m->break_hist, m->break_rate);
	history_push(&m->cpu_hist, m->cpu);
	history_push(&m->eff_hist, m->efficiency);
	history_push(&m->p99_hist, m->p99);
}

/* Counters of another backend, or of one that went and came back, do not continue the old ones. */
static void forget_rates(struct ksmtop_model *m)
{
	m->scan_rate = m->merge_rate = m->break_rate = m->cpu = (struct ksmtop_num){ 0 };
	m->efficiency = m->p50 = m->p99 = (struct ksmtop_num){ 0 };
	m->pass = (struct ksmtop_pass){ 0 };
	m->pass_from = m->pass_whole = (struct ksmtop_num){ 0 };
	m->interval = 0;
	for (size_t i = 0; i < m->nrows; i++)
		m->rows[i].p.breaks.have = m->rows[i].p.cow_ns.have = false;
}

static int by_pid(const void *a, const void *b)
{
	const struct ksmtop_row *x = a, *y = b;

	return x->p.pid < y->p.pid ? -1 : x->p.pid > y->p.pid;
}

const struct ksmtop_row *model_row(const struct ksmtop_model *m, pid_t pid)
{
	struct ksmtop_row key = { .p.pid = pid };

	return m->nrows ? bsearch(&key, m->rows, m->nrows, sizeof(key), by_pid) : NULL;
}

/* @hint: where it may be: behind the one found last, for samples come in much the same order */
static const struct ksmtop_row *find_row(const struct ksmtop_model *m, const struct ksmtop_proc *p,
					 size_t *hint)
{
	const struct ksmtop_row *r;

	if (*hint < m->nrows && m->rows[*hint].p.pid == p->pid)
		r = &m->rows[*hint];
	else
		r = model_row(m, p->pid);
	if (!r)
		return NULL;
	*hint = (size_t)(r - m->rows) + 1;
	return r->p.start == p->start ? r : NULL;
}

static bool in_order(const struct ksmtop_row *rows, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (rows[i - 1].p.pid > rows[i].p.pid)
			return false;
	return true;
}

/*
 * The kernel counts for a process every mapping of a merged page, the kept one included; of N
 * mappings of one page N - 1 are saved. Which process "has" the kept one is nobody's business, so
 * the saving is spread over all mappings evenly and the column adds up to the header's figure.
 * (The kernel's ksm_process_profit takes them all as saved: nearly twice too much for pairs.)
 */
static void derive_row(struct ksmtop_row *r, const struct ksmtop_sample *s, double items)
{
	double shared = (double)ksm_snapshot_get(&s->counters, KSM_ABI_PAGES_SHARED);
	double sharing = (double)ksm_snapshot_get(&s->counters, KSM_ABI_PAGES_SHARING);
	double part = shared + sharing > 0 ? sharing / (shared + sharing) : 0;
	double zero = r->p.zero.have ? (double)r->p.zero.v : 0;

	if (r->p.rmap_items.have && items > 0)
		r->scan = number((double)r->p.rmap_items.v / items * 100);
	if (!r->p.merging.have)
		return;
	r->saved = number(((double)r->p.merging.v * part + zero) * (double)s->page_size);
	if (r->p.rmap_items.have)
		r->net = number(r->saved.v - (double)r->p.rmap_items.v * KSM_RMAP_ITEM_BYTES);
}

static void fill_rows(struct ksmtop_row *rows, const struct ksmtop_model *m,
		      const struct ksmtop_sample *s)
{
	bool timed = m->samples && s->time_ns > m->now.time_ns;
	double dt = timed ? (double)(s->time_ns - m->now.time_ns) / 1e9 : 0;
	double items = 0;
	size_t hint = 0;

	for (size_t i = 0; i < s->nprocs; i++)
		items += (double)s->procs[i].rmap_items.v;
	for (size_t i = 0; i < s->nprocs; i++) {
		struct ksmtop_row *r = &rows[i];
		const struct ksmtop_row *old = find_row(m, &s->procs[i], &hint);

		*r = (struct ksmtop_row){ .p = s->procs[i] };
		derive_row(r, s, items);
		if (old && timed) {
			r->breaks = rate(old->p.breaks, r->p.breaks, dt);
			r->cow_time = rate(old->p.cow_ns, r->p.cow_ns, dt * 1e7);
		} else if (old) {
			r->breaks = old->breaks;
			r->cow_time = old->cow_time;
		}
	}
	if (!in_order(rows, s->nprocs))
		qsort(rows, s->nprocs, sizeof(*rows), by_pid);
}

/* ---- groups -------------------------------------------------------------------------------- */

static void add(struct ksmtop_num *to, struct ksmtop_num n)
{
	to->have |= n.have;
	to->v += n.v;
}

static void add_count(struct ksmtop_num *to, struct ksmtop_count c)
{
	add(to, (struct ksmtop_num){ c.have, (double)c.v });
}

static void add_row(struct ksmtop_group_row *g, const struct ksmtop_row *r)
{
	g->group = r->p.group;
	g->procs++;
	add_count(&g->merged, r->p.merging);
	add_count(&g->zero, r->p.zero);
	add_count(&g->items, r->p.rmap_items);
	add_count(&g->mergeable, r->p.mergeable);
	add(&g->saved, r->saved);
	add(&g->net, r->net);
	add(&g->breaks, r->breaks);
	add(&g->cow_time, r->cow_time);
	add(&g->scan, r->scan);
}

static int by_saving(const void *a, const void *b)
{
	const struct ksmtop_group_row *x = a, *y = b;

	if (!x->procs != !y->procs)
		return x->procs ? -1 : 1;
	if (x->saved.v != y->saved.v)
		return x->saved.v < y->saved.v ? 1 : -1;
	return strcmp(x->group ? x->group->name : "", y->group ? y->group->name : "");
}

/* Groups that have no process any more end up behind the others and are cut off. */
static struct ksmtop_group_row *make_groups(const struct ksmtop_row *rows, size_t n, size_t *count)
{
	struct ksmtop_group_row *groups;
	size_t most = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].p.group && rows[i].p.group->index >= most)
			most = rows[i].p.group->index + 1;
	groups = calloc(most + 1, sizeof(*groups));
	if (!groups)
		return NULL;
	for (size_t i = 0; i < n; i++)
		add_row(&groups[rows[i].p.group ? rows[i].p.group->index : most], &rows[i]);
	qsort(groups, most + 1, sizeof(*groups), by_saving);
	*count = 0;
	while (*count <= most && groups[*count].procs)
		++*count;
	return groups;
}

/* A process that KSM knows and nobody has looked at yet leaves the whole unknown. */
static struct ksmtop_num all_mergeable(const struct ksmtop_row *rows, size_t n)
{
	struct ksmtop_num all = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct ksmtop_proc *p = &rows[i].p;

		if (p->mergeable.have)
			add_count(&all, p->mergeable);
		else if (p->opt || p->rmap_items.v || p->merging.v)
			return (struct ksmtop_num){ 0 };
	}
	return all;
}

bool model_update(struct ksmtop_model *m, const struct ksmtop_sample *s)
{
	struct ksmtop_row *rows = reallocarray(m->spare, s->nprocs + 1, sizeof(*rows));
	struct ksmtop_group_row *groups = NULL;
	struct ksmtop_sample before;
	size_t ngroups = 0;

	if (!rows)
		return false;
	m->spare = rows;
	if (m->samples && (m->now.alive != s->alive || strcmp(m->now.backend, s->backend)))
		forget_rates(m);
	fill_rows(rows, m, s);
	groups = make_groups(rows, s->nprocs, &ngroups);
	if (!groups)
		return false;
	free(m->groups);
	m->groups = groups;
	m->ngroups = ngroups;
	m->spare = m->rows;
	m->rows = rows;
	m->nrows = s->nprocs;
	before = m->now;
	m->now = *s;
	m->now.procs = NULL;
	m->now.nprocs = 0;
	m->state = state_of(s);
	m->tracked = tracked_pages(&s->counters);
	m->mergeable = all_mergeable(m->rows, m->nrows);
	ksm_derive(&s->counters, &m->derived);
	if (m->samples && before.alive && s->alive && !strcmp(before.backend, s->backend))
		update_rates(m, &before);
	m->samples++;
	return true;
}

#define MOSTLY_EMPTY 8 /* times what is tracked: marked memory that is mostly reserved, not used */

int64_t model_whole(const struct ksmtop_model *m, bool *mergeable)
{
	int64_t marked =
		m->now.page_size ? (int64_t)m->mergeable.v / (int64_t)m->now.page_size : 0;

	*mergeable = marked >= m->tracked && marked / MOSTLY_EMPTY < m->tracked;
	return *mergeable ? marked : m->tracked;
}

void model_free(struct ksmtop_model *m)
{
	free(m->rows);
	free(m->spare);
	free(m->groups);
	m->rows = m->spare = NULL;
	m->groups = NULL;
	m->nrows = m->ngroups = 0;
}
