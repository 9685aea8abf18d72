/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine for the core to run on: address spaces with pages, and everything that happens to them
 * while the engine looks elsewhere. Pages have contents that change, are freed and their frame
 * numbers used again; address spaces fork and exit; any op fails on demand.
 *
 * Rules that the core relies on are enforced, and what it promises is checked: the first violation
 * prints what and under which seed, and aborts.
 */
#ifndef SHIM_SIM_H
#define SHIM_SIM_H

#include <stdint.h>
#include "ksm_core.h"

#define SIM_PAGE_SIZE 4096UL
#define SIM_PAGE_SHIFT 12
#define SIM_MAX_NODES 2
#define SIM_BATCH_MAX 64
#define SIM_HUGE 4 /* pages in a huge page */
#define SIM_FULL_PASSES 4 /* each page is read in full at least once in so many passes */
/* Virtual page i is at SIM_ADDRESS(i). */
#define SIM_ADDRESS(i) (((unsigned long)(i) + 16) << SIM_PAGE_SHIFT)
#define SIM_INDEX(address) ((int)((address) >> SIM_PAGE_SHIFT) - 16)

/**
 * struct page - a page frame
 * @pfn: its number; numbers of freed frames are used again
 * @content: stands for all its bytes; 0: all zeroes
 * @nid: NUMA node
 * @mapcount: mappings
 * @refs: references beside the mappings
 * @locked: the page lock
 * @pinned: has references that nobody can account for
 * @ksm: is a KSM page: never written again
 * @huge: number of the huge page that it is a part of, 0: of none
 * @node: of a KSM page: its stable node, NULL for an orphan
 */
struct page {
	unsigned long pfn;
	u64 content;
	int nid;
	int mapcount;
	int refs;
	bool locked;
	bool pinned;
	bool ksm;
	unsigned long huge;
	struct ksm_stable_node *node;
};

/**
 * struct sim_vpage - a virtual page
 * @page: what it maps, or NULL
 * @expect: content that was last written through it: what a reader must see
 * @mergeable: in a mergeable area
 */
struct sim_vpage {
	struct page *page;
	u64 expect;
	bool mergeable;
};

struct mm_struct {
	struct ksm_mm_slot slot;
	int id;
	int nr;
	struct sim_vpage *vpages;
	bool registered;
	bool exited;
	bool contended; /* its mmap_lock is held by someone */
	u64 domain;
	long merging;
	long items;
};

/* Ops that can be made to fail */
enum sim_op {
	SIM_HOLD,
	SIM_HOLD_LOCK,
	SIM_HOLD_ITEM,
	SIM_MERGE_INTO,
	SIM_PROMOTE,
	SIM_MERGE_ZERO,
	SIM_DOMAIN,
	SIM_ADOPT,
	SIM_UNSHARE,
	SIM_ALLOC_ITEM,
	SIM_ALLOC_NODE,
	SIM_ALLOC_HUGE,
	SIM_ALLOC_BUCKETS,
	SIM_NR_OPS
};

/* Not an errno: the page in question disappears, or promote_pair fails half-way. */
#define SIM_FAIL_HARD (-1000)

/**
 * struct sim - the machine
 * @hash_mod: hashes are content % @hash_mod; 0: hashes as good as real ones
 * @blind_samples: samples do not see any change
 * @samples: most pages are not read in full, as in the kernel
 * @fail_op: op that fails, when @fail_nth is set
 * @fail_nth: its n-th call from now, 0: none
 * @fail_err: with this error
 * @fail_chance: any op fails once in so many calls, 0: never
 * @meddle_chance: as @fail_chance: something happens to the pages during an op
 * @stale_next: ops->next offers pages as they were when collected, not as they are
 * @zero: the zero page; mapped without being anonymous memory
 * @settled_runs: pages that a visit would not change are one candidate, as in the kernel
 * @buckets: the unstable index has so many after the next pass; -1: as many as the core wants
 * @exchanges: how often their number changed
 * @huge_pages: how many there were
 * @splits: how many of them were split for a merge
 * @batch_pages: the pages of @batch, referenced
 */
struct sim {
	struct ksm_core core;
	struct ksm_ops ops;
	struct rb_root stable[SIM_MAX_NODES];
	struct rb_root unstable[SIM_MAX_NODES];
	struct mm_struct **mms;
	int nr_mms;
	struct page **frames; /* by pfn, NULL: free */
	unsigned long nr_frames;
	struct page *zero;
	uint64_t seed;
	uint64_t random;
	unsigned long now;
	u64 hash_mod;
	bool blind_samples;
	bool samples;

	enum sim_op fail_op;
	long fail_nth;
	int fail_err;
	int fail_chance;
	int meddle_chance;
	bool stale_next;
	bool settled_runs;
	long buckets;
	unsigned long exchanges;
	unsigned long huge_pages;
	unsigned long splits;
	unsigned long calls[SIM_NR_OPS];
	unsigned long failed; /* how many calls were made to fail */

	struct mm_struct *scanned;
	struct ksm_candidate batch[SIM_BATCH_MAX];
	struct page *batch_pages[SIM_BATCH_MAX];
	int batch_len;
	int batch_pos;

	long items; /* allocated */
	long nodes;
	long huges;
	long anon_vmas;
	unsigned long emitted[KSM_EMIT_SCAN_STOP + 1];
	unsigned long outcomes;
};

/* sim.c: the machine */
struct sim *sim_new(uint64_t seed, int nr_nodes);
void sim_free(struct sim *sim);
uint64_t sim_random(struct sim *sim, uint64_t below);
u64 sim_content(struct sim *sim);
void sim_violation(struct sim *sim, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
struct mm_struct *sim_mm(struct sim *sim, int nr);
struct mm_struct *sim_equal_pages(struct sim *sim, int nr, u64 content, int nid);
void sim_register(struct sim *sim, struct mm_struct *mm);
void sim_unregister(struct sim *sim, struct mm_struct *mm);
void sim_write(struct sim *sim, struct mm_struct *mm, int i, u64 content);
void sim_map(struct sim *sim, struct mm_struct *mm, int i, u64 content, int nid);
bool sim_is_huge(const struct mm_struct *mm, int i);
bool sim_collapse(struct sim *sim, struct mm_struct *mm, int i);
void sim_split(struct sim *sim, const struct page *page);
void sim_zap(struct sim *sim, struct mm_struct *mm, int i);
struct mm_struct *sim_fork(struct sim *sim, struct mm_struct *mm);
void sim_exit(struct sim *sim, struct mm_struct *mm);
void sim_unmergeable(struct sim *sim, struct mm_struct *mm, int i);
void sim_migrate(struct sim *sim, struct page *page, int nid);
void sim_unshare_vpage(struct sim *sim, struct mm_struct *mm, int i);
void sim_get(struct page *page);
void sim_put(struct sim *sim, struct page *page);
void sim_remap(struct sim *sim, struct sim_vpage *vpage, struct page *page);
struct page *sim_page(struct sim *sim, u64 content, int nid);
void sim_meddle(struct sim *sim);

/* sim_ops.c: the ops */
extern const struct ksm_ops sim_ops;
const int *sim_errors(enum sim_op op);
u64 sim_hash(struct sim *sim, u64 content);
u16 sim_sample(struct sim *sim, u64 content);
unsigned long sim_linear_index(const struct ksm_rmap_item *item);
void sim_unload(struct sim *sim);

/* sim_scan.c: batches */
void sim_fit_index(struct sim *sim);
void sim_batch(struct sim *sim, int pages);
void sim_pass(struct sim *sim, int pages);

/* sim_check.c: is all well? */
void sim_check(struct sim *sim);
void sim_settle(struct sim *sim);
void sim_check_settled(struct sim *sim);

#endif /* SHIM_SIM_H */
