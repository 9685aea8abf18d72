/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What merging would save, from the contents of pages that somebody else reads.
 *
 * Every page is hashed and looked up in a table of contents. The table has a fixed bound: where
 * there are more contents than fit, or where a sample was asked for, only contents whose hash
 * falls into a part p of the hash space are kept, all their pages and no page of others. The part
 * is halved whenever the table is full, so that it ends as large as the bound allows.
 *
 * Counts of pages are exact always. Counts of contents are k / p for k kept, and as each content
 * is kept or not independently of the others, k is binomial: the standard error of the count is
 * sqrt(k (1 - p)) / p. The zero page, the one content that is likely to be most of a target, is
 * counted apart and exactly. An interval is 1.96 standard errors either way (95 %), and the part is
 * never made smaller than what keeps KSM_ESTIMATE_CONTENTS_MIN contents unless the memory bound
 * wants it: with k contents the interval is 1.96 / sqrt(k) of all contents, thus at most that of
 * all pages: 1.6 % with 16,384.
 *
 * What the sample cannot see is a single content so frequent that max_page_sharing makes KSM keep
 * it several times: those copies are at most (pages - contents) / max_page_sharing, by which the
 * interval is widened.
 */
#ifndef KSMKIT_ESTIMATE_H
#define KSMKIT_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Contents kept at least when a sample is taken, and at most at all (32 bytes each). */
#define KSM_ESTIMATE_CONTENTS_MIN 16384
#define KSM_ESTIMATE_CONTENTS_MAX (3u << 20)

/* Pages handed over at once: they stay in the second-level cache while they are hashed. */
#define KSM_BATCH_PAGES 64

/* ksm_page.flags */
#define KSM_PAGE_MERGEABLE 1u /* marked mergeable today */
#define KSM_PAGE_SHARED 2u    /* its frame is mapped more than once: merged already, or forked */

/**
 * struct ksm_page - what is known of a page besides its contents
 * @pfn: its frame, 0 when that is not known
 * @flags: KSM_PAGE_*
 */
struct ksm_page {
	uint64_t pfn;
	uint32_t flags;
};

/**
 * struct ksm_page_batch - some pages of one process
 * @data: their contents, one behind the other; belongs to the source
 * @pages: the rest
 * @count: how many
 */
struct ksm_page_batch {
	const unsigned char *data;
	struct ksm_page pages[KSM_BATCH_PAGES];
	size_t count;
};

/**
 * struct ksm_target - a process whose pages are read
 * @pid: process
 * @uid: its user
 * @name: what to call it
 */
struct ksm_target {
	pid_t pid;
	uid_t uid;
	char name[64];
};

/**
 * struct ksm_page_source - where pages come from
 * @next_target: fill in the next process, all of a user one behind the other. Return: 1; 0 when
 *	there are no more; negative errno
 * @next_pages: fill in the next pages of that process. Return: 1; 0 when there are no more
 *	(exited processes included); negative errno, which ends the estimate
 */
struct ksm_page_source {
	int (*next_target)(struct ksm_page_source *source, struct ksm_target *target);
	int (*next_pages)(struct ksm_page_source *source, struct ksm_page_batch *batch);
};

/**
 * struct ksm_estimate_options - how to estimate
 * @page_size: bytes of a page
 * @seed: of the hash
 * @sample: part of the hash space to keep, 1.0 for all of it
 * @contents_max: bound of the table, 0 for KSM_ESTIMATE_CONTENTS_MAX
 * @max_page_sharing: of the engine; mappings that one copy of a page may have
 * @use_zero_pages: does the engine merge zero pages with the kernel's own zero page today?
 */
struct ksm_estimate_options {
	size_t page_size;
	uint64_t seed;
	double sample;
	uint32_t contents_max;
	int64_t max_page_sharing;
	bool use_zero_pages;
};

/**
 * struct ksm_figure - pages, with a 95 % interval; low = value = high when it is exact
 */
struct ksm_figure {
	double value;
	double low;
	double high;
};

enum ksm_estimate_scope { KSM_SCOPE_ALL, KSM_SCOPE_NOW, KSM_SCOPE_COUNT };

/**
 * struct ksm_scope_result - one set of pages: all of them, or those marked mergeable today
 * @pages: how many, zero pages included
 * @zero: how many of them hold zeroes only
 * @contents: different contents among the others
 * @inside: pages that repeat what their own process has elsewhere (zero pages apart)
 * @across: contents of a process that an earlier process has, too
 * @already: pages that do not need a frame of their own as it is
 * @saving: frames that merging would free, beyond @already
 * @saving_within_users: the same if pages of different users were never merged
 *
 * KSM_SCOPE_ALL is "if everything were enabled": zero pages go to the kernel's zero page. In
 * KSM_SCOPE_NOW they do when use_zero_pages says so.
 */
struct ksm_scope_result {
	uint64_t pages;
	uint64_t zero;
	struct ksm_figure contents;
	struct ksm_figure inside;
	struct ksm_figure across;
	struct ksm_figure already;
	struct ksm_figure saving;
	struct ksm_figure saving_within_users;
};

/**
 * struct ksm_target_result - one process
 * @target: which
 * @pages: of it
 * @zero: of these
 * @mergeable: of these
 * @contents: about how many different contents
 * @shared: about how many of them another process has, too
 */
struct ksm_target_result {
	struct ksm_target target;
	uint64_t pages;
	uint64_t zero;
	uint64_t mergeable;
	double contents;
	double shared;
};

/**
 * struct ksm_pair - two processes and about how many contents they have in common
 * @a: index into the targets
 * @b: index into the targets
 * @pages: contents
 */
struct ksm_pair {
	uint32_t a;
	uint32_t b;
	double pages;
};

#define KSM_PAIRS_MAX 10

/**
 * struct ksm_estimate_result - the outcome
 * @scopes: by enum ksm_estimate_scope
 * @part: of the hash space that was kept in the end
 * @kept: contents that were
 * @targets: processes, in the order they were read
 * @target_count: how many
 * @pairs: processes with most in common, greatest first
 * @pair_count: how many
 *
 * Owned by the estimate.
 */
struct ksm_estimate_result {
	struct ksm_scope_result scopes[KSM_SCOPE_COUNT];
	double part;
	uint32_t kept;
	const struct ksm_target_result *targets;
	size_t target_count;
	struct ksm_pair pairs[KSM_PAIRS_MAX];
	size_t pair_count;
};

struct ksm_estimate;

/* NULL when out of memory. */
struct ksm_estimate *ksm_estimate_new(const struct ksm_estimate_options *options);

/**
 * ksm_estimate_run() - read a source to its end
 * @e: new estimate
 * @source: of the pages
 * @progress: called for every batch with the pages read so far; non-zero ends the reading, what
 *	was read up to then is what the result is of. May be NULL
 * @ctx: for @progress
 *
 * Return: 0; what @progress returned; -ENOMEM; what the source failed with.
 */
int ksm_estimate_run(struct ksm_estimate *e, struct ksm_page_source *source,
		     int (*progress)(uint64_t pages, void *ctx), void *ctx);

/* Return: 0 or -ENOMEM. */
int ksm_estimate_finish(struct ksm_estimate *e, struct ksm_estimate_result *result);

/* Accepts NULL. */
void ksm_estimate_free(struct ksm_estimate *e);

#endif /* KSMKIT_ESTIMATE_H */
