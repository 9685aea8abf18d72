/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control loop of ksmctl tune, without any input or output: what was seen goes in, what to set
 * comes out.
 *
 * The scanner works off pages_to_scan pages and sleeps sleep_millisecs in turns. From its CPU time
 * the cost of a page is learnt; with it a pace can be told for a share of a CPU as well as for the
 * duration of a full scan.
 */
#ifndef KSMKIT_PACER_H
#define KSMKIT_PACER_H

#include <stdbool.h>
#include <stdint.h>

/**
 * enum ksm_pacer_state - what the tuner is at
 * @KSM_PACER_IDLE: there is nothing to merge: as slow as it gets
 * @KSM_PACER_BOOST: something new to merge, not settled yet: as fast as the CPU cap allows
 * @KSM_PACER_STEADY: settled: a full scan in the target time
 * @KSM_PACER_PRESSURE: memory is short: as fast as the CPU cap allows
 * @KSM_PACER_BACKOFF: breaking merged pages costs more than they save: as slow as it gets
 */
enum ksm_pacer_state {
	KSM_PACER_IDLE,
	KSM_PACER_BOOST,
	KSM_PACER_STEADY,
	KSM_PACER_PRESSURE,
	KSM_PACER_BACKOFF,
};

/**
 * struct ksm_pacer_config - what is wanted
 * @max_cpu: percent of one CPU that the scanner may use
 * @scan_seconds: duration of a full scan once settled
 * @pressure: PSI "some" of memory over ten seconds, percent, from which memory is short
 * @worth: percent of one CPU that breaking pages may cost for each GiB saved
 * @backoff_seconds: how long to back off the first time; doubled when it comes again at once
 */
struct ksm_pacer_config {
	unsigned int max_cpu;
	unsigned int scan_seconds;
	double pressure;
	double worth;
	unsigned int backoff_seconds;
};

extern const struct ksm_pacer_config ksm_pacer_defaults;

/**
 * struct ksm_pacer_seen - one observation
 * @time: ns, monotonic
 * @full_scans: counter
 * @saved_pages: pages saved now
 * @pages: mergeable or tracked pages, whichever is more
 * @looked: mergeable memory was looked at for this observation, not remembered from an earlier one
 * @runtime: CPU time of the scanner, ns; 0 when it cannot be told
 * @breaks: merged pages copied so far (a counter)
 * @psi: memory pressure, percent; 0 when the kernel does not tell
 */
struct ksm_pacer_seen {
	uint64_t time;
	int64_t full_scans;
	int64_t saved_pages;
	int64_t pages;
	bool looked;
	uint64_t runtime;
	uint64_t breaks;
	double psi;
};

/**
 * struct ksm_pacer - memory of the loop; only ksm_pacer_start() and ksm_pacer_step() write it
 * @state: what it is at
 * @page_ns: cost of scanning a page, learnt
 * @pages_to_scan: last decided
 * @sleep_ms: last decided
 * @last: the observation before
 * @settle_scans: full scans at the last look for calm
 * @settle_saved: saved pages then
 * @calm: full scans in a row that changed the saving by less than 5 %
 * @boost_scans: full scans when the boost began
 * @known_pages: mergeable pages when it was last boosted for them
 * @growing: observations in a row in which there was something new, and still more of it
 * @costly: observations in a row in which breaks cost more than they were worth
 * @backoff_until: time
 * @backoff: seconds of the last back-off, 0 when there was none of late
 */
struct ksm_pacer {
	struct ksm_pacer_config config;
	enum ksm_pacer_state state;
	double page_ns;
	int64_t pages_to_scan;
	int64_t sleep_ms;
	struct ksm_pacer_seen last;
	int64_t settle_scans;
	int64_t settle_saved;
	unsigned int calm;
	int64_t boost_scans;
	int64_t known_pages;
	unsigned int growing;
	unsigned int costly;
	uint64_t backoff_until;
	unsigned int backoff;
};

/**
 * struct ksm_pacer_decision - what to do
 * @change: write the values
 * @pages_to_scan: knob
 * @sleep_ms: knob sleep_millisecs
 * @reason: one line; set when @change
 */
struct ksm_pacer_decision {
	bool change;
	int64_t pages_to_scan;
	int64_t sleep_ms;
	char reason[200];
};

/**
 * ksm_pacer_start() - begin
 * @seen: the first observation
 * @d: the first decision, always a change
 */
void ksm_pacer_start(struct ksm_pacer *t, const struct ksm_pacer_config *config,
		     const struct ksm_pacer_seen *seen, struct ksm_pacer_decision *d);

/**
 * ksm_pacer_step() - one more observation
 */
void ksm_pacer_step(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
		    struct ksm_pacer_decision *d);

/**
 * ksm_pacer_glance() - has a boost settled? Asked between two steps, as often as one likes
 * @seen: @time, @full_scans, @saved_pages and @pages are enough
 * @d: a change when it has
 *
 * A scan of merged pages is over in a moment: a boost that were looked at in the steps alone would
 * go on for many of them.
 */
void ksm_pacer_glance(struct ksm_pacer *t, const struct ksm_pacer_seen *seen,
		      struct ksm_pacer_decision *d);

/**
 * ksm_pacer_state_name() - "idle", "boost", "steady", "pressure", "backoff"
 */
const char *ksm_pacer_state_name(enum ksm_pacer_state state);

#endif /* KSMKIT_PACER_H */
