/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ksm-stress: eight processes that do to their memory, to the engine and to the machine whatever
 * may happen on a host, in an order that the seed alone decides.
 *
 * Steps are numbered through: step n is done by process n % STRESSORS, and what it is and with
 * which pages depends on the seed and n. So a count of steps names a prefix of the same history.
 */
#ifndef VM_PROG_STRESS_H
#define VM_PROG_STRESS_H

#include <pthread.h>

#include "lib/lib.h"

#define STRESSORS 8
/* Steps that each process does between two meetings with the others. */
#define STEPS_PER_ROUND 8
#define ROUND (STRESSORS * STEPS_PER_ROUND)
/* 4 MiB: some part of it can be a huge page. */
#define STRESS_PAGES 1024
#define MAX_DEEDS 64
/* Instead of a deed: the process has done its part of the round. */
#define MEETING (-1)

/**
 * struct arena - memory that all processes share
 * @meeting: of all processes, at the end of a round
 * @machine: held while the module or a CPU comes or goes, so that one does at a time
 * @round: under way
 * @over: no round follows
 * @doing: deed of each process
 * @done: of each deed, how often
 * @absent: of each deed, how often the kernel had no such thing
 * @reloads: of the module
 * @idle: the scanner is never started
 * @looks: how often a process compared its pages
 * @looks_merged: how often the frames said then that some of them were merged
 * @most_merged: merged pages, the highest count seen
 * @merges: pages merged, as the engine counted them at each unload and at the end
 */
struct arena {
	pthread_barrier_t meeting;
	pthread_mutex_t machine;
	unsigned int round;
	bool over;
	int doing[STRESSORS];
	unsigned long done[MAX_DEEDS];
	unsigned long absent[MAX_DEEDS];
	unsigned long reloads;
	bool idle;
	unsigned long looks;
	unsigned long looks_merged;
	long long most_merged;
	unsigned long merges;
};

extern struct arena *arena;

/**
 * struct stressor - one of the processes
 * @index: its number
 * @step: under way
 * @rnd: all choices of this step come from here
 * @pages: its memory
 * @cgroup: its control group
 */
struct stressor {
	int index;
	unsigned int step;
	uint64_t rnd;
	struct pages pages;
	char cgroup[64];
};

/**
 * struct deed - what a step may be
 * @name: for messages
 * @weight: how often, relative to the others
 * @act: returns false when this kernel or machine has no such thing; dies when something is wrong
 */
struct deed {
	const char *name;
	unsigned int weight;
	bool (*act)(struct stressor *s);
};

/* Ended by an entry without name. */
extern const struct deed memory_deeds[];
extern const struct deed process_deeds[];
extern const struct deed machine_deeds[];

static inline uint64_t choose(struct stressor *s, uint64_t n)
{
	return next_random(&s->rnd) % n;
}

/* A range of at most @most pages; returns its first page. */
size_t choose_range(struct stressor *s, size_t most, size_t *len);
/* Fill and mark: how a process and its tenants begin. */
void stress_populate(struct pages *p, size_t nr, uint64_t *rnd);
/* Dies, naming the step, when a page does not hold what was written. */
void stress_verify(struct stressor *s, const char *when);
/* Note whether pages of this process are merged now. */
void merging_look(struct stressor *s);
/* Add up what the module counted; before it goes, and with arena->machine held. */
void merging_note(void);
/* Until some process sees merged pages, but not longer than so. */
void merging_wait(double seconds);
/* Whether a run may end, because processes looked often enough for merging_judge(). */
bool merging_known(void);
/* Dies when nothing was ever merged. */
void merging_judge(void);
/* Unload the module, whatever it is about, and load it again. */
bool stress_reload(struct stressor *s);
/* Be a short-lived program with mergeable memory of its own (ksm-stress --tenant). */
int be_tenant(uint64_t seed);

#endif /* VM_PROG_STRESS_H */
