/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One engine: its state, its locks, and what its parts offer each other.
 *
 * Lock order: run_lock, in-tree ksm_thread_mutex, mmap_lock of the scanned address
 * space, engine lock, trylock of a second mmap_lock, page trylocks, PTE lock.
 * In-tree ksm_mmlist_lock nests inside all of them and is never held across a call.
 */
#ifndef KSME_ENGINE_H
#define KSME_ENGINE_H

#include "compat/kernel.h"

#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/wait.h>

#include "ksm_abi.h"

/* Spots collected under one hold of mmap_lock, and pages: together they bound that hold. */
#define KSME_CHUNK 64
#define KSME_CHUNK_PAGES 1024
/* Areas and page tables looked at under one hold of mmap_lock before a waiting writer counts. */
#define KSME_STEPS 16
/* Each candidate may need one item; each new KSM page a node and a chain. */
#define KSME_RESERVE_ITEMS KSME_CHUNK
#define KSME_RESERVE_NODES (2 * KSME_CHUNK)
/* All parts of a huge page are there, so a chunk is in no more than so many. */
#define KSME_RESERVE_HUGE 4

/**
 * struct ksme_slot - a registered address space, as the mm side knows it
 * @slot: the core's part; slot.mm is held by mmgrab()
 * @intree: in-tree KSM's slot of the same mm. Valid only while the mm has users,
 *	observed under ksm_mmlist_lock, or while borrowed (slots.c)
 * @epoch: when @intree was observed, in runs of in-tree KSM
 */
struct ksme_slot {
	struct ksm_mm_slot slot;
	struct intree_mm_slot *intree;
	unsigned long epoch;
};

/**
 * struct ksme_spot - a page found by the walk
 * @address: where
 * @pfn: which page it was; by the time of the merge it may be another
 * @page: the page, referenced from the walk on; after hashing NULL for all but what was hashed
 *	and is small
 * @hash: its content's seeded hash; meaningless for a KSM page. Before it is hashed: what an
 *	earlier visit knew (ksm_core_recall())
 * @sample: of the content that @hash is of; likewise
 * @look: how much of it to read (enum ksm_look)
 * @sampled: there is a sample only
 * @settled: not 0: instead of one page, so many from @address on of which nothing is known but that
 *	they are KSM pages and tracked as such
 * @skip: or, with @settled, that they are left alone in this pass
 * @huge: a part of a huge page, mapped as such
 */
struct ksme_spot {
	unsigned long address;
	unsigned long pfn;
	struct page *page;
	u64 hash;
	u16 sample;
	u8 look;
	bool sampled;
	bool skip;
	bool huge;
	unsigned int settled;
};

/**
 * struct ksme_batch - what is being scanned: collected, hashed, then merged
 * @spots: candidates of one address space by ascending address
 * @probes: what the core is going to search for them
 * @limit: most pages to collect, settled ones included
 * @nr: how many spots
 * @pages: how many pages they stand for
 * @steps: areas and page tables that the walk came to
 * @item: of the page table walk: item at or before where it stands, NULL before its first step
 * @domain: merge domain of @mm when the walk began
 * @pos: the next to offer to the core
 * @next: where the walk goes on
 * @done: the walk reached the end of the address space
 * @zero_pages: zero pages that KSM placed, met by the walks since the pass began
 * @mm: address space being scanned
 * @vma: last area looked up in @mm, valid under the present hold of mmap_lock
 * @page: referenced page of the candidate the core is visiting
 */
struct ksme_batch {
	struct ksme_spot spots[KSME_CHUNK];
	struct ksm_probe probes[KSME_CHUNK];
	unsigned int limit;
	unsigned int nr;
	unsigned int pages;
	unsigned int steps;
	struct ksm_rmap_item *item;
	u64 domain;
	unsigned int pos;
	unsigned long next;
	bool done;
	unsigned long zero_pages;
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	struct page *page;
};

/**
 * struct ksme_advisor - the scan-time advisor's settings and memory
 * @on: it sets pages_to_scan
 * @max_cpu: percent of one CPU to use at most
 * @min_pages: pages_to_scan to begin with
 * @max_pages: pages_to_scan at most
 * @target_seconds: how long a pass should take
 * @start: when the pass began, nanoseconds
 * @cpu_time: CPU time of the thread when the last pass ended, nanoseconds
 * @scan_seconds: how long the last pass took
 * @change: smoothed change of that, percent
 */
struct ksme_advisor {
	bool on;
	unsigned int max_cpu;
	unsigned long min_pages;
	unsigned long max_pages;
	unsigned long target_seconds;
	u64 start;
	u64 cpu_time;
	unsigned long scan_seconds;
	unsigned long change;
};

/* merge_domain: pages merge regardless of whose they are, or only within one of these */
enum ksme_domains { KSME_DOMAIN_ALL, KSME_DOMAIN_UID, KSME_DOMAIN_CGROUP };

/**
 * struct ksm_engine - the engine
 * @core: the algorithm's state, under @lock
 * @lock: the engine mutex that serialises all core calls
 * @run_lock: serialises writers of both run files, ours and in-tree KSM's
 * @run: KSM_RUN_*; written under @run_lock and ksm_thread_mutex
 * @pages_to_scan: pages per batch
 * @sleep_millisecs: between batches
 * @iter_wait: the thread sleeps here between batches
 * @thread: ksm_engined
 * @domains: enum ksme_domains; under @lock (mm/domain.c)
 * @full_hash_passes: a page is read in full at least every so many passes that look at it
 * @merge_across_nodes: one tree for all NUMA nodes; under @lock
 * @zero_pages: zero pages placed, where the kernel does not count them (zero.c)
 * @batch: used by whoever holds ksm_thread_mutex
 * @advisor: who sets @pages_to_scan (advisor.c)
 * @zero_sample: ksm_sample() of zeroes
 * @seed: of content hashes, new at each load, so that nobody can craft collisions
 */
struct ksm_engine {
	struct ksm_core core;
	struct mutex lock;
	struct mutex run_lock;
	unsigned long run;
	unsigned int pages_to_scan;
	unsigned int sleep_millisecs;
	wait_queue_head_t iter_wait;
	struct task_struct *thread;
	atomic_long_t zero_pages;
	unsigned int full_hash_passes;
	bool merge_across_nodes;
	int domains;
	struct ksme_batch batch;
	u16 zero_sample;
	u64 seed;
	struct ksme_advisor advisor;
};

extern struct ksm_engine ksme;

/* run.c */
int ksme_run_store(unsigned int run);
void ksme_run_wake(void);
bool ksme_owns_merging(void);

/* engined.c */
int ksme_thread_start(void);
void ksme_thread_stop(void);

/* advisor.c */
void ksme_advisor_set(bool on);
void ksme_advisor_pass_begins(void);
void ksme_advisor_pass_ends(void);

/* attach.c */
int ksme_attach_start(void);
void ksme_attach_stop(void);

/* sysfs.c */
int ksme_sysfs_create(void);
void ksme_sysfs_remove(void);

/* debugfs.c */
void ksme_debugfs_create(void);
void ksme_debugfs_remove(void);

/* mm/slots.c */
int ksme_slots_register(void);
bool ksme_slot_borrow(struct ksme_slot *slot);
void ksme_slot_return(struct ksme_slot *slot);
void ksme_slot_drop(struct ksme_slot *slot);
void ksme_slots_drop_all(void);
void ksme_slots_bury(struct mm_struct *mm);
void ksme_slots_distrust(void);

static inline struct ksme_slot *ksme_slot_of(struct ksm_mm_slot *slot)
{
	return container_of(slot, struct ksme_slot, slot);
}

/* mm/walk.c */
struct vm_area_struct *ksme_mergeable_vma(struct mm_struct *mm, unsigned long address);
struct page *ksme_page_at(struct vm_area_struct *vma, unsigned long address);
pte_t *ksme_pte_lock(struct mm_struct *mm, unsigned long address, spinlock_t **ptl);
void ksme_collect(struct ksme_batch *batch, unsigned long start);
unsigned long ksme_next_ksm(struct mm_struct *mm, unsigned long start, unsigned long end);

/* mm/keyhole.c */
/* What page->mapping of a node's page is */
static inline void *ksme_node_mapping(const struct ksm_stable_node *node)
{
	return (void *)((unsigned long)node | FOLIO_MAPPING_KSM);
}

struct ksm_stable_node *ksme_page_node(struct page *page);
void ksme_page_set_node(struct page *page, struct ksm_stable_node *node);
struct page *ksme_hold(void *ctx, struct ksm_stable_node *node, enum ksm_hold how);
void ksme_release(void *ctx, struct page *page, enum ksm_hold how);

/* mm/merge.c */
u64 ksme_hash(struct page *page);
u16 ksme_sample(void *ctx, struct page *page);
void ksme_hash_spot(struct ksme_spot *spot);
bool ksme_differ(void *ctx, struct page *a, struct page *b);
int ksme_merge_into(void *ctx, struct ksm_rmap_item *item, struct page *page,
		    struct ksm_stable_node *node, struct page *kpage);
int ksme_promote_pair(void *ctx, struct ksm_rmap_item *item, struct page *page,
		      struct ksm_rmap_item *tree_item, struct page *tree_page,
		      struct ksm_stable_node *node);
int ksme_adopt(void *ctx, struct ksm_rmap_item *item, struct page *page,
	       struct ksm_stable_node *node);
struct page *ksme_hold_item(void *ctx, struct ksm_rmap_item *item);
int ksme_maps(void *ctx, struct ksm_rmap_item *item, struct page *page);

int ksme_merge_zero(void *ctx, struct ksm_rmap_item *item, struct page *page);
void ksme_zero_init(void);
long ksme_zero_pages(void);

/* mm/unmerge.c */
int ksme_break_ksm(struct vm_area_struct *vma, unsigned long address);
int ksme_unmerge_all(void);
void ksme_orphan_all(void);

/* mm/guard.c */
int ksme_guard_install(void);
void ksme_guard_remove(void);
bool ksme_intree_owns_merging(void);

/* mm/mark.c */
int ksme_mark(struct mm_struct *mm, struct maple_tree *map);
int ksme_marks_look(struct mm_struct *mm, struct maple_tree *map, u32 *state);
void ksme_marks_count(struct maple_tree *map, u64 *areas, u64 *bytes);
int ksme_marks_merged(struct mm_struct *mm, struct maple_tree *map, u64 *pages);
int ksme_unmark(struct mm_struct *mm, struct maple_tree *map, u64 *copied);

/* mm/hotplug.c */
int ksme_hotplug_register(void);
void ksme_hotplug_unregister(void);
void ksme_wait_while_offlining(void);

/* mm/domain.c */
u64 ksme_domain(void *ctx, struct mm_struct *mm);
pid_t ksme_owner(struct mm_struct *mm);
ssize_t ksme_domains_show(char *buf);
int ksme_domains_store(const char *word);

/* mm/ops.c */
extern const struct ksm_ops ksme_ops;
int ksme_ops_init(void);
void ksme_ops_exit(void);
void ksme_reserve(void);
void ksme_reserved(unsigned int *items, unsigned int *nodes);
void ksme_fit_index(void);
void ksme_warm_index(struct ksme_batch *batch);
void ksme_batch_end(struct ksme_batch *batch);

#endif /* KSME_ENGINE_H */
