// SPDX-License-Identifier: GPL-2.0
#include "model.h"

#include <stdlib.h>
#include <string.h>

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
	history_push(&m->scan_hist, m->scan_rate);
	history_push(&m->merge_hist, m->merge_rate);
	history_push(&m->break_hist, m->break_rate);
	history_push(&m->cpu_hist, m->cpu);
}

/* Counters of another backend, or of one that went and came back, do not continue the old ones. */
static void forget_rates(struct ksmtop_model *m)
{
	m->scan_rate = m->merge_rate = m->break_rate = m->cpu = (struct ksmtop_num){ 0 };
	m->interval = 0;
	for (size_t i = 0; i < m->nrows; i++)
		m->rows[i].p.breaks.have = false;
}

static int by_pid(const void *a, const void *b)
{
	const struct ksmtop_row *x = a, *y = b;

	return x->p.pid < y->p.pid ? -1 : x->p.pid > y->p.pid;
}

static const struct ksmtop_row *find_row(const struct ksmtop_row *rows, size_t n,
					 const struct ksmtop_proc *p)
{
	struct ksmtop_row key = { .p.pid = p->pid };
	const struct ksmtop_row *r;

	r = n ? bsearch(&key, rows, n, sizeof(key), by_pid) : NULL;
	return r && r->p.start == p->start ? r : NULL;
}

/*
 * The kernel counts for a process every mapping of a merged page, the kept one included; of N
 * mappings of one page N - 1 are saved. Which process "has" the kept one is nobody's business, so
 * the saving is spread over all mappings evenly and the column adds up to the header's figure.
 * (The kernel's ksm_process_profit takes them all as saved: nearly twice too much for pairs.)
 */
static void derive_row(struct ksmtop_row *r, const struct ksmtop_sample *s)
{
	double shared = (double)ksm_snapshot_get(&s->counters, KSM_ABI_PAGES_SHARED);
	double sharing = (double)ksm_snapshot_get(&s->counters, KSM_ABI_PAGES_SHARING);
	double part = shared + sharing > 0 ? sharing / (shared + sharing) : 0;
	double zero = r->p.zero.have ? (double)r->p.zero.v : 0;

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

	for (size_t i = 0; i < s->nprocs; i++) {
		struct ksmtop_row *r = &rows[i];
		const struct ksmtop_row *old = find_row(m->rows, m->nrows, &s->procs[i]);

		*r = (struct ksmtop_row){ .p = s->procs[i] };
		derive_row(r, s);
		if (old && timed)
			r->breaks = rate(old->p.breaks, r->p.breaks, dt);
		else if (old)
			r->breaks = old->breaks;
	}
	if (s->nprocs)
		qsort(rows, s->nprocs, sizeof(*rows), by_pid);
}

bool model_update(struct ksmtop_model *m, const struct ksmtop_sample *s)
{
	struct ksmtop_row *rows = calloc(s->nprocs + 1, sizeof(*rows));
	struct ksmtop_sample before;

	if (!rows)
		return false;
	if (m->samples && (m->now.alive != s->alive || strcmp(m->now.backend, s->backend)))
		forget_rates(m);
	fill_rows(rows, m, s);
	free(m->rows);
	m->rows = rows;
	m->nrows = s->nprocs;
	before = m->now;
	m->now = *s;
	m->now.procs = NULL;
	m->now.nprocs = 0;
	m->state = state_of(s);
	m->tracked = tracked_pages(&s->counters);
	ksm_derive(&s->counters, &m->derived);
	if (m->samples && before.alive && s->alive && !strcmp(before.backend, s->backend))
		update_rates(m, &before);
	m->samples++;
	return true;
}

void model_free(struct ksmtop_model *m)
{
	free(m->rows);
	m->rows = NULL;
	m->nrows = 0;
}
