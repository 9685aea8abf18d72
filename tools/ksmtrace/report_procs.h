/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The processes of a recording and what happened to each, in bounded memory: beyond PROCS_MAX of
 * them the rest is added up under number 0.
 */
#ifndef KSMTRACE_REPORT_PROCS_H
#define KSMTRACE_REPORT_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ksm_event.h"
#include "ksmtrace/limits.h"
#include "lib/trace_names.h"

/**
 * struct tally - what happened to the pages of a process, or of several
 * @before: pages merged when the recording began (merged and zero)
 * @new_pages: became KSM pages
 * @merges: mapped a KSM page that was there
 * @zero: mapped the zero page
 * @failed: merges tried in vain
 * @breaks: copied for a writer
 * @unmerged: copied because merging was given up
 * @gone: left otherwise: unmapped, or the process ended; pages merged during the recording, zero
 *	pages only by the end of their process
 * @churned: breaks of pages merged during the recording
 * @again: pages merged again after a break
 * @stayed: how long the @churned ones had been merged, all together, ns
 * @timed: breaks whose latency is known
 * @latency: of those, all together, ns
 * @latency_max: longest
 * @swapins: KSM pages copied at swap-in
 */
struct tally {
	uint64_t before;
	uint64_t new_pages;
	uint64_t merges;
	uint64_t zero;
	uint64_t failed;
	uint64_t breaks;
	uint64_t unmerged;
	uint64_t gone;
	uint64_t churned;
	uint64_t again;
	uint64_t stayed;
	uint64_t timed;
	uint64_t latency;
	uint64_t latency_max;
	uint64_t swapins;
};

void tally_add(struct tally *to, const struct tally *from);

/* Pages merged, however. */
static inline uint64_t tally_merged(const struct tally *t)
{
	return t->new_pages + t->merges + t->zero;
}

/* By how many merged pages the process has more than at the start, as far as the events tell. */
static inline int64_t tally_net(const struct tally *t)
{
	return (int64_t)(tally_merged(t) - t->breaks - t->unmerged - t->gone);
}

/**
 * struct proc - a process, from its first event to its exit; a later one with its id is another
 * @tgid: 0 for what belongs to no process, or to those beyond PROCS_MAX
 * @guest: number of the name of the virtual machine it runs, 0 for none
 * @cgroup: number of the path of its cgroup, 0 when it is not known
 * @exited: left KSM
 * @left: when it last did
 * @zero_left: zero pages that it took with it
 */
struct proc {
	uint32_t tgid;
	uint32_t guest;
	uint32_t cgroup;
	bool exited;
	char comm[17];
	uint64_t cgroup_id;
	uint64_t left;
	uint64_t zero_left;
	struct tally tally;
};

/**
 * struct procs - all of them; zeroed, then procs_init()
 * @all: by number
 * @by_tgid: numbers, open addressing
 * @strings: names of guests and paths of cgroups by number, [0] is NULL
 * @by_text: numbers of strings, open addressing
 * @beyond: processes that are part of number 0
 */
struct procs {
	struct proc *all;
	size_t count;
	size_t capacity;
	uint32_t *by_tgid;
	char **strings;
	size_t string_count;
	uint32_t *by_text;
	uint64_t beyond;
	struct ksm_name name;
};

/* Return: 0 or -ENOMEM. */
int procs_init(struct procs *p);
void procs_free(struct procs *p);

/* The number of the process that an event belongs to; made when it is new. */
uint32_t procs_of(struct procs *p, const struct ksm_event *event);

/* COMM, NAME, ENTER, EXIT and PROCESS events; others are left alone. */
void procs_feed(struct procs *p, const struct ksm_event *event);

/* The number of a text, 0 when there is no room for another one. */
uint32_t procs_intern(struct procs *p, const char *text);

/* NULL for number 0. */
static inline const char *procs_string(const struct procs *p, uint32_t number)
{
	return p->strings[number];
}

#endif /* KSMTRACE_REPORT_PROCS_H */
