/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a recording says, added up in one pass: events in, figures out. No output here.
 */
#ifndef KSMTRACE_REPORT_MODEL_H
#define KSMTRACE_REPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ksm_event.h"
#include "ksmtrace/report_hist.h"
#include "ksmtrace/report_passes.h"
#include "ksmtrace/report_procs.h"
#include "ksmtrace/report_sample.h"
#include "ksmtrace/report_series.h"
#include "lib/backend.h"
#include "lib/trace_file.h"

#define REPORT_BACKENDS 2

/**
 * struct report_host - what the snapshots of one engine say
 * @first: counters as first seen; @last as last seen
 * @scanner_first: SCANNER event first seen, its type 0 when there was none; @scanner_last likewise
 */
struct report_host {
	struct ksm_counters_snapshot first;
	struct ksm_counters_snapshot last;
	struct ksm_event scanner_first;
	struct ksm_event scanner_last;
};

/**
 * struct report_type - events of one type
 * @count: recorded
 * @lost: not recorded
 * @lost_by: of those, by cause
 * @first: time of the first one
 * @last: time of the last one
 */
struct report_type {
	uint64_t count;
	uint64_t lost;
	uint64_t lost_by[KSM_LOST_MAX];
	uint64_t first;
	uint64_t last;
};

/**
 * struct report - see above; report_init(), report_feed() for every event, report_finish()
 * @start: of the recording
 * @end: last event
 * @events: all of them
 * @happened: of those, no snapshots, no losses: as many as record says
 * @types: by type
 * @hosts: by backend (KSM_BACKEND_KERNEL, KSM_BACKEND_ENGINE)
 * @total: all processes, and what belongs to none
 * @latency: of breaks by a write; @unmerge_latency of the others
 * @stay: how long pages stayed merged that were broken
 * @live: pages merged during the recording; who is the process, or that with BROKEN; after
 *	report_finish() without BROKEN are those that are mapped at the end, as far as events tell
 * @live_count: entries at live.slots once it is finished, sorted by frame and process
 * @frames: KSM pages; who counts merges
 * @removed: KSM pages that are no more; time is when the last one of the frame went
 */
struct report {
	uint64_t start;
	uint64_t end;
	uint64_t events;
	uint64_t happened;
	uint64_t lost;
	struct report_type types[KSM_EVENT_MAX];
	struct report_host hosts[REPORT_BACKENDS];
	struct procs procs;
	struct tally total;
	struct hist latency;
	struct hist unmerge_latency;
	struct hist stay;
	struct passes passes;
	struct series series;
	struct sample live;
	size_t live_count;
	struct sample frames;
	struct sample removed;
};

/* Set in sample_entry.who of a page that was broken again, or left otherwise. */
#define REPORT_BROKEN 0x80000000u

/**
 * report_new() - start adding up
 * @start: of the recording, CLOCK_MONOTONIC ns
 *
 * Return: for report_free(), NULL without memory.
 */
struct report *report_new(uint64_t start);
void report_free(struct report *r);

/* A ksm_event_fn. Return: 0. */
int report_feed(void *ctx, const struct ksm_event *event);

/* No more events. */
void report_finish(struct report *r);

/* Pages saved by an engine, from its counters. */
int64_t report_saved(const struct ksm_counters_snapshot *s);

/* The same of both engines, at the start and at the end. */
int64_t report_saved_first(const struct report *r);
int64_t report_saved_last(const struct report *r);

#endif /* KSMTRACE_REPORT_MODEL_H */
