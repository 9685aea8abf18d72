// SPDX-License-Identifier: GPL-2.0
/* Unexported symbols: found by name at load, called through static calls. */
#include "compat/kernel.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>

#include "check.h"
#include "engine.h"

struct ksme_intree ksme_intree;

/* kernel/kallsyms.c's, whose prototypes no header of a module's world declares */
int k_kallsyms_on_each_match_symbol(int (*fn)(void *data, unsigned long address),
				    const char *name, void *data);

/* X(return type, kernel's name, parameters, arguments) */
#define KSME_CALLS_COMMON(X)                                                               \
	X(int, __mmu_notifier_invalidate_range_start, (struct mmu_notifier_range *range),      \
	  (range))                                                                         \
	X(pte_t, ptep_clear_flush,                                                         \
	  (struct vm_area_struct *vma, unsigned long address, pte_t *ptep),                \
	  (vma, address, ptep))                                                            \
	X(bool, folio_free_swap, (struct folio *folio), (folio))                           \
	X(void, __put_anon_vma, (struct anon_vma *anon_vma), (anon_vma))                   \
	X(void, lru_add_drain_all, (void), ())                                             \
	X(int, do_madvise,                                                                 \
	  (struct mm_struct *mm, unsigned long start, size_t len_in, int behavior),        \
	  (mm, start, len_in, behavior))                                                   \
	X(struct mm_struct *, mm_access, (struct task_struct *task, unsigned int mode),        \
	  (task, mode))                                                                    \
	X(struct task_struct *, pidfd_get_task, (int pidfd, unsigned int *flags),              \
	  (pidfd, flags))                                                                  \
	X(struct btf *, bpf_get_btf_vmlinux, (void), ())                                   \
	X(s32, btf_find_by_name_kind, (const struct btf *btf, const char *name, u8 kind),  \
	  (btf, name, kind))                                                               \
	X(const struct btf_type *, btf_type_by_id, (const struct btf *btf, u32 id),        \
	  (btf, id))                                                                       \
	X(const char *, btf_name_by_offset, (const struct btf *btf, u32 offset),           \
	  (btf, offset))

#ifdef KSME_HAVE_RANGE_INIT_VMA
#define KSME_CALLS_NOTIFY(X)                                                               \
	X(void, __mmu_notifier_invalidate_range_end,                                       \
	  (struct mmu_notifier_range *range, bool only_end), (range, only_end))
#else
#define KSME_CALLS_NOTIFY(X)                                                               \
	X(void, __mmu_notifier_invalidate_range_end, (struct mmu_notifier_range *range),       \
	  (range))
#endif

#ifdef KSME_HAVE_RSS_STAT_COUNT
#define KSME_CALLS_RSS(X)                                                                  \
	X(void, mm_trace_rss_stat, (struct mm_struct *mm, int member, long count),         \
	  (mm, member, count))
#else
#define KSME_CALLS_RSS(X)                                                                  \
	X(void, mm_trace_rss_stat, (struct mm_struct *mm, int member), (mm, member))
#endif

#ifdef KSME_HAVE_FOLIO_RMAP
#define KSME_CALLS_RMAP(X)                                                                 \
	X(void, folio_add_anon_rmap_ptes,                                                  \
	  (struct folio *folio, struct page *page, int nr, struct vm_area_struct *vma,         \
	   unsigned long address, rmap_t flags),                                           \
	  (folio, page, nr, vma, address, flags))                                          \
	X(void, folio_remove_rmap_ptes,                                                    \
	  (struct folio *folio, struct page *page, int nr, struct vm_area_struct *vma),        \
	  (folio, page, nr, vma))
#else
#define KSME_CALLS_RMAP(X)                                                                 \
	X(void, page_add_anon_rmap,                                                        \
	  (struct page *page, struct vm_area_struct *vma, unsigned long address,           \
	   rmap_t flags),                                                                  \
	  (page, vma, address, flags))                                                     \
	X(void, page_remove_rmap,                                                          \
	  (struct page *page, struct vm_area_struct *vma, bool compound),                  \
	  (page, vma, compound))
#endif

#if defined(KSME_HAVE_SPLIT_UNDERSCORED)
#define KSME_CALLS_SPLIT(X)                                                                \
	X(int, __split_huge_page_to_list_to_order,                                         \
	  (struct page *page, struct list_head *list, unsigned int order),                 \
	  (page, list, order))
#elif defined(KSME_HAVE_SPLIT_TO_ORDER)
#define KSME_CALLS_SPLIT(X)                                                                \
	X(int, split_huge_page_to_list_to_order,                                           \
	  (struct page *page, struct list_head *list, unsigned int order),                 \
	  (page, list, order))
#else
#define KSME_CALLS_SPLIT(X)                                                                \
	X(int, split_huge_page_to_list, (struct page *page, struct list_head *list),       \
	  (page, list))
#endif

#if defined(KSME_HAVE_PTE_MAP_LOCK_CHECKED)
#define KSME_CALLS_PTE(X)                                                                  \
	X(pte_t *, __pte_offset_map_lock,                                                  \
	  (struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t **ptlp),       \
	  (mm, pmd, addr, ptlp))
#elif defined(KSME_HAVE_PTE_MAP_LOCK_FUNCTION)
#define KSME_CALLS_PTE(X)                                                                  \
	X(pte_t *, pte_offset_map_lock,                                                    \
	  (struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t **ptlp),       \
	  (mm, pmd, addr, ptlp))
#else
#define KSME_CALLS_PTE(X)
#endif

#define KSME_CALLS(X)                                                                      \
	KSME_CALLS_COMMON(X)                                                               \
	KSME_CALLS_NOTIFY(X)                                                               \
	KSME_CALLS_RSS(X)                                                                  \
	KSME_CALLS_RMAP(X)                                                                 \
	KSME_CALLS_SPLIT(X)                                                                \
	KSME_CALLS_PTE(X)

#define X(ret, name, params, args)                                                         \
	DEFINE_STATIC_CALL_NULL(ksme_##name, name);                                        \
	ret name params                                                                    \
	{                                                                                  \
		return static_call(ksme_##name) args;                                      \
	}
KSME_CALLS(X)
#undef X

const struct ksme_prototype ksme_prototypes[] = {
#define X(ret, name, params, args) { #name, #ret, #params },
	KSME_CALLS(X)
#undef X
	{ "kallsyms_on_each_match_symbol", "int",
	  "(int (*fn)(void *data, unsigned long address), const char *name, void *data)" },
	{}
};

DEFINE_STATIC_CALL_NULL(ksme_each_match, k_kallsyms_on_each_match_symbol);

static unsigned long kprobe_address(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	unsigned long address;

	if (register_kprobe(&probe))
		return 0;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return address;
}

struct matches {
	unsigned long address;
	unsigned int nr;
};

static int count_match(void *data, unsigned long address)
{
	struct matches *matches = data;

	matches->address = address;
	matches->nr++;
	return 0;
}

/* 0 when the name is missing, or names two things: an ambiguous name is a missing one. */
static unsigned long resolve(const char *name, bool required)
{
	struct matches matches = {};

	static_call(ksme_each_match)(count_match,
				     required && ksme_falsified("missing", name) ? "" : name,
				     &matches);
	if (required && ksme_falsified("ambiguous", name))
		matches.nr++;
	if (matches.nr == 1)
		return matches.address;
	if (required)
		pr_err("symbol %s is %s in this kernel: cannot load\n", name,
		       matches.nr ? "ambiguous" : "missing");
	return 0;
}

/* X(member, name, required) */
#define KSME_VARIABLES(X)                                                                  \
	X(mm_head, ksm_mm_head, true)                                                      \
	X(scan, ksm_scan, true)                                                            \
	X(mmlist_lock, ksm_mmlist_lock, true)                                              \
	X(thread_mutex, ksm_thread_mutex, true)                                            \
	X(thread_wait, ksm_thread_wait, true)                                              \
	X(run, ksm_run, true)                                                              \
	X(stable_tree, root_stable_tree, true)                                             \
	X(nr_trees, ksm_nr_node_ids, IS_ENABLED(CONFIG_NUMA))                           \
	X(migrate_nodes, migrate_nodes, true)                                              \
	X(run_attr, run_attr, true)                                                        \
	X(mm_kobj, mm_kobj, true)                                                          \
	X(zero_pages, ksm_zero_pages, IS_ENABLED(KSME_HAVE_MM_ZERO_PAGES))

/**
 * ksme_symbols_resolve - find everything unexported that the engine needs
 *
 * Return: 0, or -ENOENT with one line in the log that names what is missing.
 */
int ksme_symbols_resolve(void)
{
	unsigned long address = kprobe_address("kallsyms_on_each_match_symbol");

	if (!address) {
		pr_err("no kprobe on kallsyms_on_each_match_symbol: cannot load\n");
		return -ENOENT;
	}
	static_call_update(ksme_each_match, (typeof(&k_kallsyms_on_each_match_symbol))address);

#define X(ret, name, params, args)                                                         \
	address = resolve(#name, true);                                                    \
	if (!address)                                                                      \
		return -ENOENT;                                                            \
	static_call_update(ksme_##name, (typeof(&name))address);
	KSME_CALLS(X)
#undef X

#define X(member, name, required)                                                          \
	address = resolve(#name, required);                                                \
	if (!address && (required))                                                        \
		return -ENOENT;                                                            \
	ksme_intree.member = (void *)address;
	KSME_VARIABLES(X)
#undef X
	return 0;
}
