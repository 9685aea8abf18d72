/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program that is a table of trials: each maps memory in this very process, lets the KSM under
 * test work on it, and judges by frames and contents.
 */
#ifndef VM_PROG_TRIALS_H
#define VM_PROG_TRIALS_H

#include "lib.h"

#define NEEDS_ENGINE 1

/**
 * struct trial - one row of the table
 * @name: as in the output and in --only
 * @act: returns NULL, or why this kernel has no such thing; dies when something is wrong
 * @needs: NEEDS_ENGINE when the kernel's own KSM cannot take part
 */
struct trial {
	const char *name;
	const char *(*act)(void);
	int needs;
};

/* Run the table; --absent names the trials that this kernel must have no use for. */
int trials_main(int argc, char **argv, const struct trial *trials, const char *doc);

#define SETS_MAX 4

/**
 * struct sets - ranges of pages that are judged together
 * @p: the ranges
 * @nr: how many
 * @last: what was counted last
 * @want: frames waited for
 */
struct sets {
	struct pages p[SETS_MAX];
	int nr;
	struct frames last;
	size_t want;
};

/* @sets ranges of @nr pages each, page i of each holding content i + 1; small pages. */
void sets_map(struct sets *s, int sets, size_t nr);
void sets_advise(struct sets *s, int advice);
void sets_look(struct sets *s);
/* Reclaim from the group that they are in; whether nine of ten of their @pages each are swapped. */
bool sets_reclaim(struct sets *s, const char *cgroup, size_t pages);
/* Wait until all are on @want frames, and are so two passes later, contents right. */
void sets_wait(struct sets *s, size_t want, const char *when);
/* Now: @want frames, contents right. */
void sets_expect(struct sets *s, size_t want, const char *when);
/* Three passes change nothing: @want frames, contents right. */
void sets_stay(struct sets *s, size_t want, const char *when);
void sets_verify(const struct sets *s, const char *when);
/* Write one word into pages [from, to) of range @set. */
void sets_write(struct sets *s, int set, size_t from, size_t to);
/* MADV_MERGEABLE on all, then sets_wait(). */
void sets_merge(struct sets *s, size_t want, const char *when);
/* How many of the pages are on KSM pages; where the kernel cannot tell, on frames they share. */
long long sets_on_ksm(struct sets *s);
/* Unmaps all, and waits until nothing counts as merged. */
void sets_unmap(struct sets *s);

/* Wait until no anonymous page of the machine is lost: neither mapped nor in swap, nor free. */
void expect_none_lost(const char *when);
/* pages_shared + pages_sharing must be @want. */
void expect_items(long long want, const char *when);
/* Load the engine without any program's help: 0 or -errno. */
int module_load(void);
/* Load the engine and wait until the sets, each of @want contents, are merged and counted. */
void load_and_merge(struct sets *s, size_t want, const char *when);
/* Unload it, waiting for nothing: 0 or -errno. */
int module_unload(void);

/* Flags of the frame behind a page; 0 when it is not present. */
uint64_t page_flags(const void *addr);

/* Pages of the compound page that begins at @addr; 0 when none does. */
size_t compound_pages(const void *addr);
/* Whether the area at @addr has a two-letter flag in its VmFlags line. */
bool area_has_flag(const void *addr, const char *flag);

#endif /* VM_PROG_TRIALS_H */
