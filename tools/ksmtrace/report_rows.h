/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The figures of a report by process, cgroup or guest, and who of them shares pages with whom.
 */
#ifndef KSMTRACE_REPORT_ROWS_H
#define KSMTRACE_REPORT_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "ksmtrace/report_model.h"

enum report_by {
	REPORT_BY_PROCESS,
	REPORT_BY_CGROUP,
	REPORT_BY_GUEST,
	REPORT_BY_EVENT,
	REPORT_BY_PAGE,
	REPORT_BYS
};

/* "process", "cgroup", ... */
extern const char *const report_by_names[REPORT_BYS];

#define REPORT_NAME_MAX 160

/**
 * struct report_row - one process, cgroup or guest
 * @name: what to call it
 * @tgid: of a process, else 0
 * @processes: how many belong to it
 * @order: where it stands among all rows, from 0
 */
struct report_row {
	char name[REPORT_NAME_MAX];
	uint32_t tgid;
	uint64_t processes;
	size_t order;
	struct tally tally;
};

/**
 * struct report_rows - all of them
 * @rows: by group number
 * @sorted: group numbers, those with most merged and broken pages first; those with none left out
 * @sorted_count: how many
 * @group_of: group number by number of process
 */
struct report_rows {
	struct report_row *rows;
	size_t count;
	uint32_t *sorted;
	size_t sorted_count;
	uint32_t *group_of;
};

/* @by: process, cgroup or guest. Return: 0 or -ENOMEM. */
int report_rows_make(struct report *r, enum report_by by, struct report_rows *rows);
void report_rows_free(struct report_rows *rows);

/* One of them, numbers of sharers fall into: 1, 2, 3 to 4, 5 to 8, 9 to 16, more. */
#define SHARERS_CLASSES 6

/**
 * struct share_pair - two that map the same KSM pages
 * @a: group number; @b likewise, greater
 * @frames: KSM pages that both map
 */
struct share_pair {
	uint32_t a;
	uint32_t b;
	double frames;
};

/**
 * struct sharing - who maps the same pages at the end, of those merged during the recording
 * @pairs: most pages first
 * @classes: KSM pages by the number of groups that map them
 * @alone: KSM pages that only one group maps, by group number
 * @weight: each page seen stands for so many (it is part of the figures already)
 * @forgotten: pairs there was no room for
 */
struct sharing {
	struct share_pair *pairs;
	size_t count;
	uint64_t classes[SHARERS_CLASSES];
	uint64_t *alone;
	uint64_t weight;
	uint64_t forgotten;
};

/* After report_finish(). Return: 0 or -ENOMEM. */
int sharing_make(const struct report *r, const struct report_rows *rows, struct sharing *s);
void sharing_free(struct sharing *s);

/**
 * struct report_frame - one page frame that was a KSM page
 * @kpfn: its number
 * @births: how often it became a KSM page
 * @merges: pages that were merged into it
 * @breaks: of those, copied again
 * @mapped: pages that map it at the end, of those merged during the recording
 * @processes: how many processes those belong to
 */
struct report_frame {
	uint64_t kpfn;
	uint64_t births;
	uint64_t merges;
	uint64_t breaks;
	uint64_t mapped;
	uint64_t processes;
};

/**
 * report_frames() - the KSM pages with most merges and breaks
 * @top: filled
 * @max: room in it
 *
 * Return: how many there are in @top.
 */
size_t report_frames(const struct report *r, struct report_frame *top, size_t max);

#endif /* KSMTRACE_REPORT_ROWS_H */
