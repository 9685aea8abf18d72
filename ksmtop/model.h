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

/**
 * struct ksmtop_proc - one process, as sampled
 * @pid: process id (tgid)
 * @start: anything that differs when the pid is used again; 0 when unknown
 * @user: name, or the uid in digits
 * @command: what to call it; may hold anything, the screen sanitises it
 * @merging: pages of it that map a merged page
 * @zero: pages of it that map the zero page through KSM
 * @rmap_items: pages of it that are tracked
 * @breaks: COW breaks of merged pages, total since some fixed moment
 */
struct ksmtop_proc {
	pid_t pid;
	uint64_t start;
	char user[16];
	char command[64];
	struct ksmtop_count merging, zero, rmap_items, breaks;
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
	struct ksmtop_count scanner_ns, merges, breaks, lost;
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
 */
struct ksmtop_row {
	struct ksmtop_proc p;
	struct ksmtop_num saved, net, breaks;
};

enum ksmtop_state {
	KSMTOP_GONE, /* no backend answers */
	KSMTOP_STOPPED,
	KSMTOP_RUNNING,
	KSMTOP_UNMERGING,
	KSMTOP_OFFLINE,
};

/**
 * struct ksmtop_model - the newest sample, what follows from it, and what came before
 * @now: the newest sample; its @procs is not kept (NULL), @rows is
 * @samples: how many were given
 * @interval: seconds between the last two samples that had time between them, 0 before
 * @derived: what the newest counters mean (savings, metadata, profit)
 * @tracked: pages that the engine knows of
 */
struct ksmtop_model {
	struct ksmtop_sample now;
	uint64_t samples;
	double interval;
	enum ksmtop_state state;
	struct ksm_derived derived;
	int64_t tracked;
	struct ksmtop_num scan_rate, merge_rate, break_rate, cpu;
	struct ksmtop_history scan_hist, merge_hist, break_hist, cpu_hist;
	struct ksmtop_row *rows;
	size_t nrows;
};

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
