/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An open stream, for the files that it is made of.
 */
#ifndef KSMKIT_STREAM_PRIV_H
#define KSMKIT_STREAM_PRIV_H

#include "lib/stream.h"
#include "lib/stream_attach.h"
#include "lib/stream_hooks.h"
#include "lib/stream_misses.h"
#include "lib/stream_window.h"

#include "events.skel.h"

/**
 * struct ksm_stream - see stream.h
 * @opts: as given, event and count masks completed
 * @skel: NULL when no program can be used
 * @prober: what can be hooked
 * @attached: programs at work
 * @no_faults: but those at page faults, as ksm_stream_faults() said
 * @misses: how many of the runs they missed can have been breaks
 * @window: events not yet sorted
 * @ticks: times of the last two looks at the ring that found all of it finished
 * @cpus: of the per-CPU maps
 * @values: scratch for one per-CPU value
 * @ring_lost: losses at the last look, without skipped runs
 * @looked: when skipped runs were last looked for
 * @received: events taken from the ring, by type
 * @dropped: of them, and of those injected, what was not taken, by cause
 * @told: losses already delivered as LOST events
 */
struct ksm_stream {
	struct ksm_stream_opts opts;
	struct events_bpf *skel;
	struct ksm_prober prober;
	struct ksm_attached attached;
	bool no_faults;
	struct ksm_misses misses;
	struct ksm_hook *hooks;
	size_t hook_count;
	struct ksm_ring *ring;
	struct ksm_window window;
	uint64_t ticks[2];
	int cpus;
	uint64_t *values;
	uint64_t ring_lost;
	uint64_t looked;
	uint64_t received[KSM_EVENT_MAX];
	uint64_t dropped[KSM_LOST_MAX][KSM_EVENT_MAX];
	uint64_t told[KSM_LOST_MAX][KSM_EVENT_MAX];
};

/*
 * Whether anything new was lost in the ring or in sorting: one map entry and a few sums, cheap
 * enough for every tick. Skipped runs are looked for once a second.
 */
bool ksm_stream_lost_more(struct ksm_stream *s);

/* Delivers what was lost since the last look, at the time up to which all else is delivered. */
int ksm_stream_tell_losses(struct ksm_stream *s);

#endif /* KSMKIT_STREAM_PRIV_H */
