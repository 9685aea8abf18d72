/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What events add up to: counters, and a table of processes. Pure.
 */
#ifndef KSMTOP_REPLAY_STATE_H
#define KSMTOP_REPLAY_STATE_H

#include "lib/trace_names.h"
#include "model.h"

#define REPLAY_PROCS 32768 /* slots by a hash of the pid; at most 3/4 used */
#define REPLAY_GROUPS 1024

/**
 * struct replay_engine - one backend
 */
struct replay_engine {
	struct ksm_counters_snapshot counters;
	struct ksmtop_count scanner_ns;
};

/**
 * struct replay_proc - one process; its figures are those of its last snapshot and what happened
 * since
 */
struct replay_proc {
	pid_t pid;
	char comm[17];
	const struct ksmtop_group *group;
	bool guest; /* @group is a guest, which says more than a cgroup */
	bool known; /* there was a snapshot, or it entered while we looked */
	int64_t merging, zero, items;
	uint64_t breaks, cow_ns, mergeable;
};

/**
 * struct replay_state - zeroed by replay_state_reset()
 * @engines: by KSM_BACKEND_KERNEL, KSM_BACKEND_ENGINE
 * @procs: REPLAY_PROCS slots
 * @crowded: processes there was no room for
 * @groups: names met so far; they stay over a reset
 * @name: a NAME on its way
 */
struct replay_state {
	struct replay_engine engines[2];
	uint64_t merges, breaks, lost;
	struct ksmtop_hist latency;
	struct replay_proc *procs;
	size_t nprocs;
	uint64_t crowded;
	struct ksmtop_group groups[REPLAY_GROUPS];
	unsigned int ngroups;
	struct ksm_name name;
};

/* Return: false when there is no memory. */
bool replay_state_init(struct replay_state *st);
void replay_state_reset(struct replay_state *st);
void replay_state_free(struct replay_state *st);

/* One more event. */
void replay_state_take(struct replay_state *st, const struct ksm_event *e);

/* The engine that is at work: that runs or holds merged pages. */
unsigned int replay_state_engine(const struct replay_state *st);

#endif /* KSMTOP_REPLAY_STATE_H */
