/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the sampler share; included by sampler*.c only.
 */
#ifndef KSMTOP_SAMPLER_PRIV_H
#define KSMTOP_SAMPLER_PRIV_H

#include "hooks.h"
#include "lib/procs.h"
#include "sampler.h"
#include "who.h"

/**
 * struct ksmtop_sampler - open sources
 * @spec: what the user asked for
 * @kernel: release
 * @alive: @backend answered last time
 * @totals: counts of the backend's events
 * @events: the events themselves, while somebody (@fn) wants them
 * @let_go: both were closed because the engine is idle
 * @breaks: COW breaks counted last time; @breaks_changed: there are more now
 * @latency: of them all
 * @iter: task iterator, NULL when /proc is read instead
 * @iter_why: why not
 * @fresh_iter: opened beside and not taken over yet; it and @iter_why are valid once @iter_tried
 * @have_zero: this kernel counts a process's zero pages
 * @all: rows also for processes that KSM knows nothing of
 * @merge_any: see ksm_proc_iter_merge_any()
 * @mergeable_next: row from which on mergeable memory is looked at
 * @procs: rows of /proc
 * @rows: rows of the sample
 * @oom: a pass was cut short for want of memory
 */
struct ksmtop_sampler {
	const char *spec;
	struct ksm_backend backend;
	char kernel[64];
	bool alive;
	struct hooks totals, events;
	ksm_event_fn fn;
	void *ctx;
	bool let_go;
	uint64_t breaks;
	bool breaks_changed;
	struct ksmtop_hist latency;
	struct ksm_proc_iter *iter;
	char iter_why[256];
	struct ksm_proc_iter *fresh_iter;
	atomic_bool iter_tried;
	bool have_zero, all;
	_Atomic uint64_t merge_any;
	size_t mergeable_next;
	struct ksm_procs procs;
	struct ksmtop_proc *rows;
	size_t nrows, room;
	bool oom;
	struct who *who;
};

void sampler_note(struct ksmtop_sample *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Is there a hook for this type? */
bool sampler_hooked(const struct ksmtop_sampler *p, unsigned int type);

/* Fill the sample's processes. */
void sampler_procs(struct ksmtop_sampler *p, struct ksmtop_sample *s);

#endif /* KSMTOP_SAMPLER_PRIV_H */
