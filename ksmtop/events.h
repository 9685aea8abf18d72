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

/**
 * struct ksmtop_hist - a histogram of times, in the slots of lib/latency.h
 */
struct ksmtop_hist {
	uint64_t n[KSM_LATENCY_SLOTS];
};

void hist_add(struct ksmtop_hist *h, uint64_t ns);

/* @a less @b, slot by slot; what would be negative (the source began anew) counts as @a's. */
void hist_minus(struct ksmtop_hist *to, const struct ksmtop_hist *a, const struct ksmtop_hist *b);

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
 * Snapshots (counters, processes, the scanner), names, and the scanner's going to sleep and waking
 * up a hundred times a second are nothing to look at: they are not kept. Return: 0.
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
