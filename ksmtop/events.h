/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events one by one: the last of them, the names of their processes, and how long COW breaks took.
 * Pure, and of bounded size however many come.
 */
#ifndef KSMTOP_EVENTS_H
#define KSMTOP_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ksm_event.h"

#define KSMTOP_EVENTS 4096 /* kept */
#define KSMTOP_COMMS 2048  /* names kept, by a hash of the process id */
#define KSMTOP_HIST 40	   /* from 1 ns to 9 minutes */

/**
 * struct ksmtop_hist - a histogram of times
 * @n: n[i] counts those from 2^i to 2^(i+1) - 1 ns
 */
struct ksmtop_hist {
	uint64_t n[KSMTOP_HIST];
};

void hist_add(struct ksmtop_hist *h, uint64_t ns);
uint64_t hist_count(const struct ksmtop_hist *h);

/* @a less @b, bucket by bucket; what would be negative (the source began anew) counts as @a's. */
struct ksmtop_hist hist_minus(const struct ksmtop_hist *a, const struct ksmtop_hist *b);

/**
 * hist_percentile() - the time that @percent of all took at most, ns
 *
 * Within a bucket times are taken as evenly spread. 0 for an empty histogram.
 */
double hist_percentile(const struct ksmtop_hist *h, double percent);

struct ksmtop_comm {
	uint32_t tgid;
	char name[17];
};

/**
 * struct ksmtop_events - zeroed at the start
 * @ring: event number i is ring[i % KSMTOP_EVENTS]
 * @total: events that ever came; number @total - 1 is the newest
 * @lost: of which we were told
 * @latency: of COW breaks
 * @watch: process whose COW breaks are in @watch_latency, 0 for none
 */
struct ksmtop_events {
	struct ksm_event ring[KSMTOP_EVENTS];
	uint64_t total;
	uint64_t lost;
	struct ksmtop_comm comms[KSMTOP_COMMS];
	struct ksmtop_hist latency;
	pid_t watch;
	struct ksmtop_hist watch_latency;
};

/**
 * events_take() - one more event; of the type ksm_event_fn
 * @ctx: struct ksmtop_events
 *
 * Snapshots (counters, processes, the scanner) and names are no events to look at: they are not
 * kept. Return: 0.
 */
int events_take(void *ctx, const struct ksm_event *event);

/* The oldest number that is still kept. */
uint64_t events_oldest(const struct ksmtop_events *ev);

/* Event number @i, which must be kept. */
const struct ksm_event *events_get(const struct ksmtop_events *ev, uint64_t i);

/* What a process was called, NULL when it was not said (lately). */
const char *events_comm(const struct ksmtop_events *ev, uint32_t tgid);

/**
 * events_watch() - collect the latencies of one process from now on
 */
void events_watch(struct ksmtop_events *ev, pid_t pid);

#endif /* KSMTOP_EVENTS_H */
