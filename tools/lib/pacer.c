// SPDX-License-Identifier: GPL-2.0
#include "lib/pacer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "lib/util.h"

#define SLEEP_MS 20
#define SLEEP_MAX_MS 1000
/* Smaller batches wake the scanner more often than they are worth. */
#define BATCH_MIN 100
#define BATCH_MAX 100000
/* Until it has been measured: about what a page costs at 3 GHz. */
#define PAGE_NS 2000.0
/* Less CPU time than this in an observation tells nothing about the cost of a page. */
#define LEARN_NS 2000000u
/* A fault, a page copied, a TLB entry flushed. */
#define BREAK_NS 3000.0
/* A page has to be seen twice unchanged; then the saving has to stand still. */
#define CALM_SCANS 2
/* So many observations are waited for memory to stop growing. */
#define GROWING 5
/* Observations in a row before a judgement on breaks. */
#define COSTLY 3
#define BACKOFF_MAX_SECONDS 3600
/* Values that differ by less are not worth a write and a line. */
#define SAME_PERCENT 20

const struct ksm_pacer_config ksm_pacer_defaults = {
	.max_cpu = 20,
	.scan_seconds = 200,
	.pressure = 5,
	.worth = 5,
	.backoff_seconds = 60,
};

const char *ksm_pacer_state_name(enum ksm_pacer_state state)
{
	static const char *const names[] = { "idle", "boost", "steady", "pressure", "backoff" };

	return names[state];
}

static int64_t clamp(double value, int64_t lo, int64_t hi)
{
	return value <= (double)lo ? lo : value >= (double)hi ? hi : (int64_t)value;
}

/* Pages a second, as the two knobs: whole batches, and the longer sleep for the slow ones. */
static void set_rate(struct ksm_pacer *t, double per_second)
{
	double busy = t->page_ns / 1e9; /* of a second, for a page */
	double idle = 1.0 / (per_second > 0.001 ? per_second : 0.001) - busy;
	double batch;

	if (idle < busy / 100)
		idle = busy / 100;
	/* each page has to leave `idle` of sleep behind it */
	batch = SLEEP_MS / 1e3 / idle;
	if (batch >= BATCH_MIN) {
		t->sleep_ms = SLEEP_MS;
		t->pages_to_scan = clamp(batch, BATCH_MIN, BATCH_MAX);
	} else {
		t->pages_to_scan = BATCH_MIN;
		t->sleep_ms = clamp(BATCH_MIN * idle * 1e3, SLEEP_MS, SLEEP_MAX_MS);
	}
}

static double rate_of_cap(const struct ksm_pacer *t)
{
	return t->config.max_cpu / 100.0 * 1e9 / t->page_ns;
}

/* As fast as wanted, never faster than the cap. */
static void set_pace(struct ksm_pacer *t, int64_t pages)
{
	double cap = rate_of_cap(t), rate = cap;

	switch (t->state) {
	case KSM_PACER_BOOST:
	case KSM_PACER_PRESSURE:
		break;
	case KSM_PACER_STEADY:
		rate = (double)pages / t->config.scan_seconds;
		break;
	default:
		rate = 0;
	}
	set_rate(t, rate < cap ? rate : cap);
}

/* What a page costs, from how busy the scanner was at the pace it had. */
static void learn(struct ksm_pacer *t, const struct ksm_pacer_seen *seen)
{
	uint64_t dt = seen->time - t->last.time, used = seen->runtime - t->last.runtime;
	double busy, cost;

	if (!t->last.runtime || seen->runtime <= t->last.runtime || used < LEARN_NS || !dt)
		return;
	busy = (double)used / (double)dt;
	if (busy > 0.98)
		busy = 0.98;
	/* busy = batch * cost / (batch * cost + sleep) */
	cost = busy / (1 - busy) * (double)t->sleep_ms * 1e6 / (double)t->pages_to_scan;
	if (cost < t->page_ns / 4)
		cost = t->page_ns / 4; /* it may have found less than a batch */
	if (cost > t->page_ns * 4)
		cost = t->page_ns * 4;
	t->page_ns += (cost - t->page_ns) / 2;
}

static void begin_boost(struct ksm_pacer *t, const struct ksm_pacer_seen *seen)
{
	t->state = KSM_PACER_BOOST;
	t->known_pages = seen->pages;
	t->growing = 0;
	t->boost_scans = t->settle_scans = seen->full_scans;
	t->settle_saved = seen->saved_pages;
	t->calm = 0;
}

/* Full scans that hardly changed the saving, counted. Return: enough of them. */
static bool settled(struct ksm_pacer *t, const struct ksm_pacer_seen *seen)
{
	int64_t scans = seen->full_scans - t->settle_scans, change, most;

	if (scans <= 0)
		return t->calm >= CALM_SCANS;
	change = llabs(seen->saved_pages - t->settle_saved);
	most = seen->saved_pages > t->settle_saved ? seen->saved_pages : t->settle_saved;
	/* the first scan only learns what the pages hold */
	if (seen->full_scans - t->boost_scans > 1)
		t->calm = change * 20 < most || !change ? t->calm + (unsigned int)scans : 0;
	t->settle_scans = seen->full_scans;
	t->settle_saved = seen->saved_pages;
	return t->calm >= CALM_SCANS;
}

/* More than a twentieth, and more than a batch: a process came, or one has grown. */
static bool grown(const struct ksm_pacer *t, const struct ksm_pacer_seen *seen)
{
	int64_t more = seen->pages - t->known_pages;

	return more >= BATCH_MIN && more * 20 > t->known_pages;
}

/* Percent of a CPU that the breaks since the last observation took. */
static double break_cost(const struct ksm_pacer *t, const struct ksm_pacer_seen *seen)
{
	uint64_t dt = seen->time - t->last.time;

	if (!dt || seen->breaks < t->last.breaks)
		return 0;
	return (double)(seen->breaks - t->last.breaks) * BREAK_NS / (double)dt * 100;
}

static double break_worth(const struct ksm_pacer *t, const struct ksm_pacer_seen *seen)
{
	return (double)seen->saved_pages * (double)ksm_page_size() / (1 << 30) * t->config.worth;
}

static void say(struct ksm_pacer_decision *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct ksm_pacer_decision *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->reason, sizeof(d->reason), fmt, ap);
	va_end(ap);
}

static void begin_backoff(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
			  struct ksm_pacer_decision *d)
{
	unsigned int seconds = t->backoff ? t->backoff * 2 : t->config.backoff_seconds;

	t->state = KSM_PACER_BACKOFF;
	t->backoff = seconds < BACKOFF_MAX_SECONDS ? seconds : BACKOFF_MAX_SECONDS;
	t->backoff_until = seen->time + t->backoff * 1000000000ull;
	t->costly = 0;
	say(d, "COW breaks cost %.1f %% of a CPU, the saving is worth %.1f %%: back off for %u s",
	    break_cost(t, seen), break_worth(t, seen), t->backoff);
}

/*
 * What is being filled is not worth scanning yet: it changes, and the scanner would work its way
 * through a part of it, then through that part again with the rest.
 */
static bool still_growing(struct ksm_pacer *t, const struct ksm_pacer_seen *seen)
{
	if (seen->looked && seen->pages - t->last.pages < BATCH_MIN)
		return false;
	return t->growing++ < GROWING;
}

/* From a state that waits for nothing: is there something new? */
static void look_for_work(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
			  struct ksm_pacer_decision *d)
{
	char count[KSM_FORMAT_MAX];

	if (!grown(t, seen)) {
		t->growing = 0;
		return;
	}
	if (still_growing(t, seen))
		return;
	ksm_format_count(count, sizeof(count), seen->pages - t->known_pages);
	begin_boost(t, seen);
	say(d, "%s new mergeable pages: scan at the CPU cap of %u %%", count, t->config.max_cpu);
}

static void leave_boost(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
			struct ksm_pacer_decision *d)
{
	char saved[KSM_FORMAT_MAX];

	t->state = KSM_PACER_STEADY;
	ksm_format_pages(saved, sizeof(saved), seen->saved_pages);
	say(d, "settled after %" PRId64 " full scans at %s saved: a full scan in %u s",
	    seen->full_scans - t->boost_scans, saved, t->config.scan_seconds);
}

static void leave_backoff(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
			  struct ksm_pacer_decision *d)
{
	t->state = KSM_PACER_STEADY;
	t->known_pages = seen->pages;
	say(d, "backed off for %u s: try again, a full scan in %u s", t->backoff,
	    t->config.scan_seconds);
}

/* Pressure outranks everything: what is saved now is worth most. */
static bool under_pressure(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
			   struct ksm_pacer_decision *d)
{
	if (t->state != KSM_PACER_PRESSURE) {
		if (seen->psi < t->config.pressure || !seen->pages)
			return false;
		t->state = KSM_PACER_PRESSURE;
		say(d, "memory pressure is %.1f %%: scan at the CPU cap of %u %%", seen->psi,
		    t->config.max_cpu);
		return true;
	}
	if (seen->psi >= t->config.pressure / 2)
		return true;
	begin_boost(t, seen);
	say(d, "memory pressure is over: until it has settled");
	return true;
}

static void advance(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
		    struct ksm_pacer_decision *d)
{
	if (seen->pages < t->known_pages && t->state != KSM_PACER_BOOST)
		t->known_pages = seen->pages;
	if (under_pressure(t, seen, d))
		return;
	if (!seen->pages) {
		if (t->state != KSM_PACER_IDLE)
			say(d, "nothing is mergeable any more");
		t->state = KSM_PACER_IDLE;
		t->known_pages = 0;
		return;
	}
	t->costly = break_cost(t, seen) > break_worth(t, seen) ? t->costly + 1 : 0;
	switch (t->state) {
	case KSM_PACER_BOOST:
		if (grown(t, seen)) { /* still coming: it has not settled before that is merged */
			t->known_pages = seen->pages;
			t->calm = 0;
		}
		if (t->costly >= COSTLY * 2)
			begin_backoff(t, seen, d);
		else if (settled(t, seen))
			leave_boost(t, seen, d);
		break;
	case KSM_PACER_BACKOFF:
		if (seen->time >= t->backoff_until)
			leave_backoff(t, seen, d);
		break;
	default:
		if (t->costly >= COSTLY)
			begin_backoff(t, seen, d);
		else
			look_for_work(t, seen, d);
		/* long after a back-off the next one is a first one */
		if (t->backoff && seen->time > t->backoff_until + t->backoff * 2000000000ull)
			t->backoff = 0;
	}
}

static bool nearly(int64_t a, int64_t b)
{
	return llabs(a - b) * 100 <= b * SAME_PERCENT;
}

/* A new pace within a state is worth a line only when it differs. */
static void decide(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
		   struct ksm_pacer_decision *d)
{
	int64_t pages = t->pages_to_scan, sleep = t->sleep_ms;

	set_pace(t, seen->pages);
	if (!d->reason[0]) {
		if (nearly(t->pages_to_scan, pages) && nearly(t->sleep_ms, sleep)) {
			t->pages_to_scan = pages;
			t->sleep_ms = sleep;
			return;
		}
		say(d, "a page takes %.1f us to scan, there are %" PRId64, t->page_ns / 1e3,
		    seen->pages);
	}
	d->change = true;
	d->pages_to_scan = t->pages_to_scan;
	d->sleep_ms = t->sleep_ms;
}

void ksm_pacer_start(struct ksm_pacer *t, const struct ksm_pacer_config *config,
		     const struct ksm_pacer_seen *seen, struct ksm_pacer_decision *d)
{
	char count[KSM_FORMAT_MAX];

	memset(t, 0, sizeof(*t));
	memset(d, 0, sizeof(*d));
	t->config = *config;
	t->page_ns = PAGE_NS;
	if (seen->pages) {
		begin_boost(t, seen);
		ksm_format_count(count, sizeof(count), seen->pages);
		say(d, "%s mergeable pages: scan at the CPU cap of %u %%", count, config->max_cpu);
	} else {
		say(d, "nothing is mergeable yet");
	}
	decide(t, seen, d);
	t->last = *seen;
}

void ksm_pacer_step(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
		    struct ksm_pacer_decision *d)
{
	memset(d, 0, sizeof(*d));
	learn(t, seen);
	advance(t, seen, d);
	decide(t, seen, d);
	t->last = *seen;
}

void ksm_pacer_glance(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
		      struct ksm_pacer_decision *d)
{
	memset(d, 0, sizeof(*d));
	if (t->state != KSM_PACER_BOOST || !settled(t, seen))
		return;
	leave_boost(t, seen, d);
	decide(t, seen, d);
	t->last.runtime = 0; /* of two paces: nothing is to be learnt from it */
}
