// SPDX-License-Identifier: GPL-2.0
#include "sampler_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/procs.h"

#define PROC_STAT "/proc/self/ksm_stat"
#define PROC_RELEASE "/proc/sys/kernel/osrelease"

#define MERGE_EVENTS                                                            \
	(KSM_STREAM_BIT(KSM_EVENT_MERGE) | KSM_STREAM_BIT(KSM_EVENT_NEW_PAGE) | \
	 KSM_STREAM_BIT(KSM_EVENT_ZERO_MERGE))
#define COUNTED_EVENTS (MERGE_EVENTS | KSM_STREAM_BIT(KSM_EVENT_COW_BREAK))
/* The scanner goes to sleep and wakes up a hundred times a second: that is nothing to look at. */
#define SHOWN_EVENTS      \
	(KSM_STREAM_ALL & \
	 ~(KSM_STREAM_BIT(KSM_EVENT_BATCH_SLEEP) | KSM_STREAM_BIT(KSM_EVENT_BATCH_WAKE)))

void sampler_note(struct ksmtop_sample *s, const char *fmt, ...)
{
	va_list ap;

	if (s->nnotes == KSMTOP_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(s->notes[s->nnotes++], KSMTOP_NOTE_LEN, fmt, ap);
	va_end(ap);
}

/* ---- opening ------------------------------------------------------------------------------- */

static unsigned int stream_backend(const struct ksmtop_sampler *p)
{
	return p->backend.kind == KSM_BACKEND_ENGINE ? KSM_STREAM_ENGINE : KSM_STREAM_KERNEL;
}

static void open_events(struct ksmtop_sampler *p)
{
	struct ksm_stream_opts opts = {
		.backend = stream_backend(p),
		.events = SHOWN_EVENTS,
		.fn = p->fn,
		.ctx = p->ctx,
	};

	hooks_open(&p->events, &opts);
}

/*
 * Beside, before the hooks: the iterator for the samples, then, with another one, what
 * PR_SET_MEMORY_MERGE sets; that takes a child, which takes long.
 */
static void open_iter(void *arg)
{
	struct ksmtop_sampler *p = arg;
	struct ksm_proc_iter *iter = NULL;
	char why[256];

	if (!atomic_load(&p->iter_tried)) {
		if (ksm_proc_iter_open(&iter, p->iter_why, sizeof(p->iter_why)))
			iter = NULL;
		p->fresh_iter = iter;
		atomic_store(&p->iter_tried, true);
	}
	if (atomic_load(&p->merge_any) || ksm_proc_iter_open(&iter, why, sizeof(why)))
		return;
	atomic_store(&p->merge_any, ksm_proc_iter_merge_any(iter));
	ksm_proc_iter_close(iter);
}

static void open_hooks(struct ksmtop_sampler *p)
{
	struct ksm_stream_opts opts = {
		.backend = stream_backend(p),
		.totals = COUNTED_EVENTS,
	};

	p->let_go = false;
	if (p->backend.fake)
		return;
	p->totals.first = open_iter;
	p->totals.first_arg = p;
	hooks_open(&p->totals, &opts);
	if (p->fn)
		open_events(p);
}

void sampler_events(struct ksmtop_sampler *p, ksm_event_fn fn, void *ctx)
{
	bool had = p->fn;

	p->fn = fn;
	p->ctx = ctx;
	if (!fn)
		hooks_close(&p->events, "");
	else if (!had && !p->backend.fake && !p->let_go)
		open_events(p);
}

bool sampler_poll(struct ksmtop_sampler *p)
{
	hooks_look(&p->events, false);
	if (p->events.stream)
		ksm_stream_poll(p->events.stream, 0);
	return p->events.stream;
}

void sampler_ready(struct ksmtop_sampler *p)
{
	if (!p->backend.fake)
		hooks_look(&p->totals, true);
}

bool sampler_opening(const struct ksmtop_sampler *p)
{
	return p->totals.job.running || p->events.job.running;
}

const struct ksm_backend *sampler_backend(const struct ksmtop_sampler *p)
{
	return &p->backend;
}

void sampler_all(struct ksmtop_sampler *p, bool all)
{
	p->all = all;
	if (p->iter)
		ksm_proc_iter_all(p->iter, all);
}

static void probe_zero(struct ksmtop_sampler *p)
{
	char text[512];

	p->have_zero = ksm_io_read(&p->backend.io, PROC_STAT, text, sizeof(text)) > 0 &&
		       strstr(text, "ksm_zero_pages");
}

static void read_release(struct ksmtop_sampler *p)
{
	if (ksm_io_read(&p->backend.io, PROC_RELEASE, p->kernel, sizeof(p->kernel)) < 0)
		strcpy(p->kernel, "?");
	ksm_chomp(p->kernel);
}

struct ksmtop_sampler *sampler_open(const char *spec, struct ksm_error *err)
{
	struct ksmtop_sampler *p = calloc(1, sizeof(*p));

	if (!p) {
		ksm_error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	p->spec = spec;
	if (ksm_backend_open(&p->backend, spec, err)) {
		free(p);
		return NULL;
	}
	p->who = who_new(&p->backend.io);
	if (!p->who) {
		ksm_error_set(err, -ENOMEM, "no memory");
		free(p);
		return NULL;
	}
	p->alive = true;
	probe_zero(p);
	read_release(p);
	open_hooks(p);
	return p;
}

void sampler_close(struct ksmtop_sampler *p)
{
	if (!p)
		return;
	hooks_close(&p->totals, "");
	hooks_close(&p->events, "");
	ksm_proc_iter_close(p->iter);
	ksm_proc_iter_close(p->fresh_iter);
	ksm_procs_free(&p->procs);
	who_free(p->who);
	free(p->rows);
	free(p);
}

/* ---- backend ------------------------------------------------------------------------------- */

/*
 * Somebody may load the module, start the other engine or unload ours while we look. Without work
 * or without a backend the choice is made again; nothing is opened unless it comes out different.
 *
 * Return: whether it did.
 */
static bool choose_again(struct ksmtop_sampler *p)
{
	struct ksm_backend now = { 0 };

	if (ksm_backend_open(&now, p->spec, NULL))
		return false;
	if (p->alive && now.kind == p->backend.kind)
		return false;
	p->backend = now;
	open_hooks(p);
	return true;
}

static bool is_idle(const struct ksmtop_sample *s)
{
	return !ksm_snapshot_get(&s->counters, KSM_ABI_RUN) &&
	       !ksm_snapshot_get(&s->counters, KSM_ABI_PAGES_SHARED);
}

/*
 * Hooks in our module's tracepoints keep it loaded. While it neither scans nor holds merged pages
 * there is nothing to see, and its owner may want to unload it.
 */
static void hold_or_let_go(struct ksmtop_sampler *p, const struct ksmtop_sample *s)
{
	bool idle = !s->alive || is_idle(s);

	if (idle == p->let_go || p->backend.fake || p->backend.kind != KSM_BACKEND_ENGINE)
		return;
	if (!idle) {
		open_hooks(p);
		return;
	}
	p->let_go = true;
	hooks_close(&p->totals, "not counted while the engine is idle");
	hooks_close(&p->events, p->totals.why);
}

static void take_counters(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	struct ksm_error err = { 0 };

	s->alive = !ksm_backend_read(&p->backend, &s->counters, &err);
	if (!s->alive || is_idle(s)) {
		p->alive = s->alive;
		if (choose_again(p))
			s->alive = !ksm_backend_read(&p->backend, &s->counters, &err);
	}
	p->alive = s->alive;
	hold_or_let_go(p, s);
	ksm_copy(s->backend, sizeof(s->backend), p->backend.name);
	if (!s->alive)
		sampler_note(s, "%s", err.text);
	else if (s->counters.denied)
		sampler_note(s, "some files of %s cannot be read: run as root", p->backend.dir);
	if (s->alive && !ksm_snapshot_has(&s->counters, KSM_ABI_PAGES_SCANNED))
		sampler_note(s, "scan rate: this kernel does not count pages scanned");
}

static void take_scanner(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	struct ksm_scanner scanner;

	if (!s->alive)
		return;
	if (ksm_scanner_read(&p->backend, &scanner)) {
		sampler_note(s, "scanner CPU: no thread %s is visible here", p->backend.thread);
		return;
	}
	s->scanner_ns = (struct ksmtop_count){ true, scanner.runtime };
}

/* ---- events -------------------------------------------------------------------------------- */

bool sampler_hooked(const struct ksmtop_sampler *p, unsigned int type)
{
	return hooks_have(&p->totals, type);
}

static const char *why_not(const struct ksmtop_sampler *p, unsigned int type)
{
	return p->backend.fake ? "a fake backend has no events" : hooks_why(&p->totals, type);
}

static void note_hooks(const struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	const char *merges =
		sampler_hooked(p, KSM_EVENT_MERGE) ? NULL : why_not(p, KSM_EVENT_MERGE);
	const char *cow =
		sampler_hooked(p, KSM_EVENT_COW_BREAK) ? NULL : why_not(p, KSM_EVENT_COW_BREAK);

	if (merges && cow && !strcmp(merges, cow)) {
		sampler_note(s, "merges, COW breaks: %s", merges);
		return;
	}
	if (merges)
		sampler_note(s, "merges: %s", merges);
	if (cow)
		sampler_note(s, "COW breaks: %s", cow);
}

/* Hundreds of looks into a map: only after a break. */
static void take_latency(struct ksmtop_sampler *p)
{
	uint64_t unmerge[KSM_LATENCY_SLOTS];

	ksm_stream_latency(p->totals.stream, KSM_COW_WRITE, p->latency.n);
	ksm_stream_latency(p->totals.stream, KSM_COW_UNMERGE, unmerge);
	for (int i = 0; i < KSM_LATENCY_SLOTS; i++)
		p->latency.n[i] += unmerge[i];
}

/* What runs at each page fault is there only while there may be merged pages to be written to. */
static void take_faults_or_not(struct ksmtop_sampler *p, const struct ksmtop_sample *s)
{
	bool wanted = s->alive && !is_idle(s);

	if (p->totals.stream)
		ksm_stream_faults(p->totals.stream, wanted);
	if (p->events.stream)
		ksm_stream_faults(p->events.stream, wanted);
}

static void take_events(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	struct ksm_totals t;

	hooks_look(&p->totals, false);
	take_faults_or_not(p, s);
	note_hooks(p, s);
	p->breaks_changed = false;
	if (!p->totals.stream || ksm_stream_totals(p->totals.stream, &t))
		return;
	s->merges.have = sampler_hooked(p, KSM_EVENT_MERGE);
	s->breaks.have = sampler_hooked(p, KSM_EVENT_COW_BREAK);
	if (s->merges.have)
		s->merges.v = t.fired[KSM_EVENT_MERGE] + t.fired[KSM_EVENT_NEW_PAGE] +
			      t.fired[KSM_EVENT_ZERO_MERGE];
	if (s->breaks.have)
		s->breaks.v = t.fired[KSM_EVENT_COW_BREAK];
	p->breaks_changed = s->breaks.v != p->breaks;
	p->breaks = s->breaks.v;
	s->have_latency = true;
	if (p->breaks_changed)
		take_latency(p);
	s->latency = p->latency;
	s->lost.have = true;
	s->lost.v = ksm_totals_lost(&t);
}

void sampler_take(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	*s = (struct ksmtop_sample){ .page_size = (uint64_t)ksm_page_size() };
	s->wall = time(NULL);
	ksm_copy(s->kernel, sizeof(s->kernel), p->kernel);
	take_counters(p, s);
	s->time_ns = ksm_monotonic_ns(); /* here: hooks may have been opened, which takes long */
	take_scanner(p, s);
	take_events(p, s);
	s->mem_available.have = !ksm_mem_available(&p->backend.io, &s->mem_available.v);
	sampler_procs(p, s);
}
