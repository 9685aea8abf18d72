/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSMCTL_TUNE_H
#define KSMCTL_TUNE_H

#include "ksmctl/cmd.h"
#include "lib/pacer.h"

/**
 * struct tune_found - knobs as they were before we came
 * @kind: KSM_BACKEND_*
 * @set: run, pages_to_scan, sleep_millisecs
 * @count: how many of them
 */
struct tune_found {
	unsigned int kind;
	struct ksm_setting set[3];
	unsigned int count;
};

/**
 * tune_lock() - only one tuner on a machine; held until the process ends
 *
 * Return: 0; -EBUSY when there is one already; negative errno; @err is set.
 */
int tune_lock(const struct ksm_io *io, struct ksm_error *err);

/**
 * tune_recover() - put back what a tuner that was killed had found
 *
 * Return: 1 when there was something to put back, 0 when not, negative errno with @err set.
 */
int tune_recover(const struct ksm_backend *located, struct ksm_error *err);

/* Remember the knobs as they are, on disk before anything is changed. */
int tune_remember(const struct ksm_backend *b, const struct ksm_counters_snapshot *s,
		  struct tune_found *found, struct ksm_error *err);

/* Put them back, and forget them. */
int tune_restore(const struct ksm_backend *b, struct tune_found *found, struct ksm_error *err);

/* Forget them: somebody else has taken over. */
void tune_forget(const struct ksm_io *io);

/**
 * struct tune_eyes - what is looked at between two observations
 * @mergeable: anonymous pages that were there in memory marked mergeable, at the last look
 * @next_look: time from which they are looked at again
 */
struct tune_eyes {
	int64_t mergeable;
	uint64_t next_look;
};

/**
 * tune_count() - what the counters alone tell of an observation
 */
void tune_count(const struct ksm_counters_snapshot *s, const struct tune_eyes *eyes,
		struct ksm_pacer_seen *seen);

/**
 * tune_look() - one observation
 * @b: backend
 * @s: its counters, read just now
 */
void tune_look(struct ksm_backend *b, const struct ksm_counters_snapshot *s, struct tune_eyes *eyes,
	       struct ksm_pacer_seen *seen);

#endif /* KSMCTL_TUNE_H */
