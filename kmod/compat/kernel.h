/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as the engine sees it: one API, the newest, on every kernel.
 *
 * Include this first in every file below kmod/ that touches memory management.
 * Many functions that in-tree KSM uses are not exported. Each is resolved by name
 * at load (symbols.c) and called through a static call, never a function pointer:
 * under IBT the unexported ones have sealed entries, which an indirect call may
 * not enter; a static call is patched into a direct one.
 *
 * The rename happens before the kernel's headers are read, so that their inline
 * functions (pte_offset_map_lock(), put_anon_vma()...) reach our wrappers, and the
 * compiler checks our definitions against the kernel's own prototypes.
 */
#ifndef KSME_COMPAT_KERNEL_H
#define KSME_COMPAT_KERNEL_H

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#define __mmu_notifier_invalidate_range_start k___mmu_notifier_invalidate_range_start
#define __mmu_notifier_invalidate_range_end k___mmu_notifier_invalidate_range_end
#define ptep_clear_flush k_ptep_clear_flush
#define folio_free_swap k_folio_free_swap
#define __put_anon_vma k___put_anon_vma
#define mm_trace_rss_stat k_mm_trace_rss_stat
#define lru_add_drain_all k_lru_add_drain_all
#define do_madvise k_do_madvise
#define mm_access k_mm_access
#define pidfd_get_task k_pidfd_get_task
#define bpf_get_btf_vmlinux k_bpf_get_btf_vmlinux
#define btf_find_by_name_kind k_btf_find_by_name_kind
#define btf_type_by_id k_btf_type_by_id
#define btf_name_by_offset k_btf_name_by_offset
#ifdef KSME_HAVE_FOLIO_RMAP
#define folio_add_anon_rmap_ptes k_folio_add_anon_rmap_ptes
#define folio_remove_rmap_ptes k_folio_remove_rmap_ptes
#else
#define page_add_anon_rmap k_page_add_anon_rmap
#define page_remove_rmap k_page_remove_rmap
#endif
#if defined(KSME_HAVE_SPLIT_UNDERSCORED)
#define __split_huge_page_to_list_to_order k___split_huge_page_to_list_to_order
#elif defined(KSME_HAVE_SPLIT_TO_ORDER)
#define split_huge_page_to_list_to_order k_split_huge_page_to_list_to_order
#else
#define split_huge_page_to_list k_split_huge_page_to_list
#endif
#if defined(KSME_HAVE_PTE_MAP_LOCK_CHECKED)
#define __pte_offset_map_lock k___pte_offset_map_lock
#elif defined(KSME_HAVE_PTE_MAP_LOCK_FUNCTION)
#define pte_offset_map_lock k_pte_offset_map_lock
#endif

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/huge_mm.h>
#include <linux/ksm.h>
#include <linux/sched/mm.h>
#include <linux/static_call.h>
#include <linux/hugetlb.h>

#include "ksm_core.h"

/*
 * In-tree KSM's private types, as far as the engine reads them. layout.c compares
 * each member with the running kernel's BTF before anything relies on them.
 */
struct intree_slot {
	struct hlist_node hash;
	struct list_head mm_node;
	struct mm_struct *mm;
};

struct intree_mm_slot {
	struct intree_slot slot;
	struct ksm_rmap_item *rmap_list;
};

struct intree_scan {
	struct intree_mm_slot *mm_slot;
	unsigned long address;
	struct ksm_rmap_item **rmap_list;
	unsigned long seqnr;
};

/**
 * struct ksme_intree - in-tree KSM's variables, found by name
 * @mm_head: its list of registered address spaces, under @mmlist_lock
 * @scan: its cursor
 * @mmlist_lock: guards the list, and the cursor's slot
 * @thread_mutex: held by ksmd for each batch and by writers of sysfs files
 * @thread_wait: woken when the first address space registers
 * @run: KSM_RUN_* bits
 * @stable_tree: its stable trees
 * @nr_trees: how many of those there are, NULL where that is always one
 * @migrate_nodes: nodes between trees
 * @run_attr: the sysfs file that starts it
 * @mm_kobj: /sys/kernel/mm
 * @zero_pages: zero pages placed by either engine: the kernel's fault path counts them
 *	down. NULL where it does not know of them
 */
struct ksme_intree {
	struct intree_mm_slot *mm_head;
	struct intree_scan *scan;
	spinlock_t *mmlist_lock;
	struct mutex *thread_mutex;
	wait_queue_head_t *thread_wait;
	unsigned long *run;
	struct rb_root **stable_tree;
	int *nr_trees;
	struct list_head *migrate_nodes;
	struct kobj_attribute *run_attr;
	struct kobject **mm_kobj;
	atomic_long_t *zero_pages;
};

extern struct ksme_intree ksme_intree;

int ksme_symbols_resolve(void);
int ksme_layout_check(void);
bool ksme_series_allowed(void);

/* Whether the last user of an address space has gone: its exit_mmap() has begun or will. */
static inline bool ksm_test_exit(struct mm_struct *mm)
{
	return atomic_read(&mm->mm_users) == 0;
}

/* One name for what differs between kernels. */

#ifndef FOLIO_MAPPING_KSM
#define FOLIO_MAPPING_KSM PAGE_MAPPING_KSM
#define FOLIO_MAPPING_FLAGS PAGE_MAPPING_FLAGS
#endif

static inline bool ksme_is_ksm(struct page *page)
{
	return folio_test_ksm(page_folio(page));
}

static inline bool ksme_mapped(struct page *page)
{
	return folio_mapped(page_folio(page));
}

#ifndef KSME_HAVE_PTE_UFFD
/* userfaultfd's bit in an entry was named after the one thing it meant. */
static inline bool pte_uffd(pte_t pte)
{
	return pte_uffd_wp(pte);
}

static inline pte_t pte_mkuffd(pte_t pte)
{
	return pte_mkuffd_wp(pte);
}
#endif

#ifndef KSME_HAVE_DEVMAP
/* Device memory with struct pages has no mark in its entries: is_zone_device_page() tells. */
static inline bool pmd_devmap(pmd_t pmd)
{
	return false;
}

static inline bool pte_devmap(pte_t pte)
{
	return false;
}
#endif

#ifndef KSME_HAVE_MM_FLAGS_BITMAP
static inline void mm_flags_clear(int flag, struct mm_struct *mm)
{
	clear_bit(flag, &mm->flags);
}
#endif

/* Flags of an area, mmap_lock held for writing. */
static inline void ksme_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef KSME_HAVE_VM_FLAGS_FUNCTIONS
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

static inline void ksme_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef KSME_HAVE_VM_FLAGS_FUNCTIONS
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

#ifndef KSME_HAVE_ANON_VMA_REFS
void __put_anon_vma(struct anon_vma *anon_vma);

static inline void get_anon_vma(struct anon_vma *anon_vma)
{
	atomic_inc(&anon_vma->refcount);
}

static inline void put_anon_vma(struct anon_vma *anon_vma)
{
	if (atomic_dec_and_test(&anon_vma->refcount))
		__put_anon_vma(anon_vma);
}
#endif

/*
 * Where the kernel finds an item's areas by page offset, the item must carry it: without
 * it the reverse map finds nothing, and the page is never swapped or migrated.
 */
static inline void ksme_item_index(struct ksm_rmap_item *item, struct vm_area_struct *vma,
				   unsigned long address)
{
#ifdef KSME_HAVE_LINEAR_ANON_INDEX
	item->linear_page_index = linear_anon_page_index(vma, address);
#endif
}

static inline void ksme_range_init(struct mmu_notifier_range *range,
				   struct vm_area_struct *vma, unsigned long address)
{
#ifdef KSME_HAVE_RANGE_INIT_VMA
	mmu_notifier_range_init(range, MMU_NOTIFY_CLEAR, 0, vma, vma->vm_mm, address,
				address + PAGE_SIZE);
#else
	mmu_notifier_range_init(range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, address,
				address + PAGE_SIZE);
#endif
}

/*
 * The kernel's inline variants also enter a lockdep map that is not exported; the
 * wait they annotate is the same one.
 */
static inline void ksme_notify_start(struct mmu_notifier_range *range)
{
	might_sleep();
	if (mm_has_notifiers(range->mm)) {
		range->flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
		__mmu_notifier_invalidate_range_start(range);
	}
}

static inline void ksme_notify_end(struct mmu_notifier_range *range)
{
	if (mm_has_notifiers(range->mm))
#ifdef KSME_HAVE_RANGE_INIT_VMA
		__mmu_notifier_invalidate_range_end(range, false);
#else
		__mmu_notifier_invalidate_range_end(range);
#endif
}

static inline void ksme_rmap_add(struct page *page, struct vm_area_struct *vma,
				 unsigned long address)
{
#ifdef KSME_HAVE_FOLIO_RMAP
	folio_add_anon_rmap_ptes(page_folio(page), page, 1, vma, address, RMAP_NONE);
#else
	page_add_anon_rmap(page, vma, address, RMAP_NONE);
#endif
}

static inline void ksme_rmap_remove(struct page *page, struct vm_area_struct *vma)
{
#ifdef KSME_HAVE_FOLIO_RMAP
	folio_remove_rmap_ptes(page_folio(page), page, 1, vma);
#else
	page_remove_rmap(page, vma, false);
#endif
}

/* Give up exclusive ownership; -EBUSY when the page may be pinned. PTE cleared. */
static inline int ksme_try_share(struct page *page)
{
#ifdef KSME_HAVE_FOLIO_RMAP
	return folio_try_share_anon_rmap_pte(page_folio(page), page);
#else
	return page_try_share_anon_rmap(page);
#endif
}

/* A zero page that KSM placed, as the kernel marks it: a special entry with the dirty bit. */
static inline bool ksme_is_zero_pte(pte_t pte)
{
	return pte_present(pte) && is_zero_pfn(pte_pfn(pte)) && pte_dirty(pte);
}

/* The address space has one more zero page in the place of an anonymous one. */
static inline void ksme_account_zero(struct mm_struct *mm)
{
#ifdef KSME_HAVE_MM_ZERO_PAGES
	atomic_long_inc(ksme_intree.zero_pages);
	atomic_long_inc(&mm->ksm_zero_pages);
#endif
	dec_mm_counter(mm, MM_ANONPAGES);
}

/*
 * FAULT_FLAG_UNSHARE breaks COW without needing write permission, and without userfaultfd
 * having a say; it is repeated until the page is no longer a KSM page. Kernels that report
 * VM_FAULT_WRITE know it, but unshare no zero pages: for these a write fault is forced there.
 */
#define KSME_FAULT_FLAGS (FAULT_FLAG_UNSHARE | FAULT_FLAG_REMOTE)
#ifdef KSME_HAVE_FAULT_WRITE_RESULT
#define KSME_ZERO_FAULT_FLAGS (FAULT_FLAG_WRITE | FAULT_FLAG_REMOTE)
#else
#define KSME_ZERO_FAULT_FLAGS KSME_FAULT_FLAGS
#endif

#endif /* KSME_COMPAT_KERNEL_H */
