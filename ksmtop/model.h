/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ksmtop knows: samples go in, rates, history and a table of processes come out.
 *
 * Pure: no clock, no file, no screen. The same samples always give the same display, which is how
 * it is tested, and how a recorded trace will be replayed.
 */
#ifndef KSMTOP_MODEL_H
#define KSMTOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "events.h"
#include "lib/backend.h"

#define KSMTOP_HISTORY 512 /* points kept per graph: more than the widest screen has columns */
#define KSMTOP_NOTES 8
#define KSMTOP_NOTE_LEN 160

/**
 * struct ksmtop_num - a number that may not be there
 * @have: false when this kernel, privilege or moment cannot give it; @v is then 0
 * @v: the value
 */
struct ksmtop_num {
	bool have;
	double v;
};

/**
 * struct ksmtop_count - a counter as its source has it, and whether the source has it
 */
struct ksmtop_count {
	bool have;
	uint64_t v;
};

/* ksmtop_proc.opt: how its memory came to be mergeable */
#define KSMTOP_OPT_MADVISE 1u
#define KSMTOP_OPT_PRCTL 2u
#define KSMTOP_OPT_ATTACHED 4u

enum ksmtop_group_kind { KSMTOP_GROUP_OTHER, KSMTOP_GROUP_CONTAINER, KSMTOP_GROUP_VM };

/**
 * struct ksmtop_group - what a process belongs to; made by the source, lives as long as it does
 * @index: counts from 0, without gaps
 * @kind: enum ksmtop_group_kind
 * @name: guest, container or control group
 */
struct ksmtop_group {
	unsigned int index;
	enum ksmtop_group_kind kind;
	char name[64];
};

/**
 * struct ksmtop_proc - one process, as sampled
 * @pid: process id (tgid)
 * @ppid: its parent's, 0 when unknown
 * @start: anything that differs when the pid is used again; 0 when unknown
 * @user: name, or the uid in digits
 * @command: what to call it; may hold anything, the screen sanitises it
 * @merging: pages of it that map a merged page
 * @zero: pages of it that map the zero page through KSM
 * @rmap_items: pages of it that are tracked
 * @breaks: COW breaks of merged pages, total since some fixed moment
 * @cow_ns: time that they took, likewise
 * @mergeable: bytes of its mappings that are marked mergeable
 * @opt: KSMTOP_OPT_*, when @have_opt
 * @group: NULL when not known
 */
struct ksmtop_proc {
	pid_t pid;
	pid_t ppid;
	uint64_t start;
	char user[16];
	char command[64];
	struct ksmtop_count merging, zero, rmap_items, breaks, cow_ns, mergeable;
	bool have_opt;
	unsigned int opt;
	const struct ksmtop_group *group;
};

/**
 * struct ksmtop_sample - everything known at one moment
 * @time_ns: CLOCK_MONOTONIC
 * @wall: the same moment for people
 * @page_size: bytes
 * @backend: its name
 * @kernel: release
 * @alive: the backend answered; otherwise @counters is meaningless
 * @counters: its files
 * @scanner_ns: CPU time of the scanner thread
 * @merges, @breaks, @lost: totals of events
 * @mem_available: bytes that could be allocated without swapping
 * @latency: of COW breaks, totals; when @have_latency
 * @reading: processes are not known yet
 * @procs: owned by the sample's maker; the model copies what it keeps
 * @notes: what is missing and why, one line each
 */
struct ksmtop_sample {
	uint64_t time_ns;
	time_t wall;
	uint64_t page_size;
	char backend[64];
	char kernel[64];
	bool alive;
	struct ksm_counters_snapshot counters;
	struct ksmtop_count scanner_ns, merges, breaks, lost, mem_available;
	bool have_latency;
	struct ksmtop_hist latency;
	bool reading;
	struct ksmtop_proc *procs;
	size_t nprocs;
	char notes[KSMTOP_NOTES][KSMTOP_NOTE_LEN];
	int nnotes;
};

/**
 * struct ksmtop_history - the last values of something, newest last
 */
struct ksmtop_history {
	float v[KSMTOP_HISTORY];
	unsigned int next, count;
};

/**
 * struct ksmtop_row - one process, as shown
 * @p: the sample's
 * @saved: bytes that merging saves through this process: its part of what the host saves
 * @net: @saved less the metadata of its tracked pages, bytes
 * @breaks: COW breaks per second
 * @cow_time: percent of a CPU that they took
 * @scan: percent of the scanner's work that is for it, estimated from its tracked pages
 */
struct ksmtop_row {
	struct ksmtop_proc p;
	struct ksmtop_num saved, net, breaks, cow_time, scan;
};

/**
 * struct ksmtop_group_row - the processes of one group, added up
 * @group: NULL for those of which none is known
 * @procs: how many
 *
 * A sum that lacks some process's part is what the others have.
 */
struct ksmtop_group_row {
	const struct ksmtop_group *group;
	unsigned int procs;
	struct ksmtop_num merged, zero, mergeable, items, saved, net, breaks, cow_time, scan;
};

/**
 * struct ksmtop_pass - where the scanner is
 * @have: a pass began while we looked
 * @scanned: pages of it that were looked at
 * @whole: pages that a pass has: as many as the one before, or as are tracked
 * @left: seconds to its end at the present speed
 * @per_second: passes that ended lately
 */
struct ksmtop_pass {
	bool have;
	double scanned, whole;
	struct ksmtop_num left, per_second;
};

enum ksmtop_state {
	KSMTOP_GONE, /* no backend answers */
	KSMTOP_STOPPED,
	KSMTOP_RUNNING,
	KSMTOP_UNMERGING,
	KSMTOP_OFFLINE,
};

#define KSMTOP_LATENCY_SPAN 32 /* samples that the latency percentiles are made of */

/**
 * struct ksmtop_model - the newest sample, what follows from it, and what came before
 * @now: the newest sample; its @procs is not kept (NULL), @rows is
 * @samples: how many were given
 * @interval: seconds between the last two samples that had time between them, 0 before
 * @derived: what the newest counters mean (savings, metadata, profit)
 * @tracked: pages that the engine knows of
 * @mergeable: bytes marked mergeable by all processes together, once all were looked at
 * @efficiency: pages merged per 1,000 looked at
 * @p50, @p99: latency of COW breaks lately, ns
 * @rows: sorted by pid; @spare: room for the next ones
 * @groups: sorted by saving, greatest first
 * @pass: see struct ksmtop_pass; @pass_from is where it began, @pass_whole the one before
 * @old_latency: @now.latency of the samples before, a ring
 * @ev: events one by one, where the source gives them
 */
struct ksmtop_model {
	struct ksmtop_sample now;
	uint64_t samples;
	double interval;
	enum ksmtop_state state;
	struct ksm_derived derived;
	int64_t tracked;
	struct ksmtop_num mergeable;
	struct ksmtop_num scan_rate, merge_rate, break_rate, cpu, efficiency, p50, p99;
	struct ksmtop_history scan_hist, merge_hist, break_hist, cpu_hist, eff_hist, p99_hist;
	struct ksmtop_row *rows, *spare;
	size_t nrows;
	struct ksmtop_group_row *groups;
	size_t ngroups;
	struct ksmtop_pass pass;
	struct ksmtop_num pass_from, pass_whole;
	struct ksmtop_hist old_latency[KSMTOP_LATENCY_SPAN];
	unsigned int latency_next;
	struct ksmtop_events ev;
};

/**
 * model_row() - the row of a process
 *
 * Return: NULL when it has none.
 */
const struct ksmtop_row *model_row(const struct ksmtop_model *m, pid_t pid);

/**
 * model_update() - take a sample in
 * @m: zeroed before the first call
 * @s: read only; not needed afterwards
 *
 * A counter that went back (backend changed, module loaded again) gives no rate for that sample. A
 * sample with the time of the one before it replaces it and leaves rates and history alone.
 *
 * Return: false when there was no memory for the rows; the model is then as before.
 */
bool model_update(struct ksmtop_model *m, const struct ksmtop_sample *s);

/**
 * model_whole() - what the bar of saved memory is a part of, in pages
 * @mergeable: set when that is all memory marked mergeable; otherwise it is what the engine tracks,
 *	since not all processes were looked at yet, or most of what they marked has no pages
 */
int64_t model_whole(const struct ksmtop_model *m, bool *mergeable);

/**
 * model_free() - release what the model keeps
 */
void model_free(struct ksmtop_model *m);

/**
 * model_state_name() - one word for the scanner's state
 */
const char *model_state_name(enum ksmtop_state state);

/**
 * history_get() - a value by age
 * @age: 0 is the newest
 *
 * Return: the value, or -1 when history does not reach back that far.
 */
float history_get(const struct ksmtop_history *h, unsigned int age);

/**
 * history_max() - the highest of the newest @n values, 0 when there are none
 */
float history_max(const struct ksmtop_history *h, unsigned int n);

#endif /* KSMTOP_MODEL_H */
