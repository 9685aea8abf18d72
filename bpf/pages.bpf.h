/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From addresses to page frames and to struct page: what a program must know to tell a KSM page.
 *
 * Where the kernel keeps its view of all memory and the array of struct page is random at each
 * boot. Symbols tell on most kernels. Where they do not, find_tables() finds both out by looking.
 */
#ifndef KSM_PAGES_BPF_H
#define KSM_PAGES_BPF_H

#include "emit.bpf.h"

#define PAGE_SHIFT 12
#define TABLE_SHIFT 9
#define TABLE_MASK 0x1ffULL
#define ENTRY_PRESENT 1
#define ENTRY_WRITABLE 2
#define ENTRY_LEAF 0x80 /* above the last level: a huge page */
#define ENTRY_PFN(entry) (((entry)&0x000ffffffffff000ULL) >> PAGE_SHIFT)
#define MAX_LEVELS 5
#define LEAF_LEVELS 3 /* huge pages are of 2 MiB and 1 GiB */
#define MAPPING_KSM 3 /* low bits of page->mapping */

/* Filled in once, before anything that needs them is attached. Zero: not known. */
extern __u64 found_direct_map;
extern __u64 found_vmemmap;
extern __u32 found_levels;

struct table_entry {
	__u64 entry;
	__u64 pfn;
};

/*
 * Follows the page tables from @table, with all memory mapped at @base, to what maps @address.
 * Any of it may be wrong or change meanwhile: a read that fails ends the walk.
 */
static __always_inline bool walk_tables(__u64 table, __u64 address, __u64 base, int levels,
					struct table_entry *found)
{
	for (int level = MAX_LEVELS; level > 0; level--) {
		__u32 shift = TABLE_SHIFT * (level - 1);
		__u64 entry = 0, below, page = address >> PAGE_SHIFT;

		if (level > levels)
			continue;
		table += (page >> shift & TABLE_MASK) * sizeof(entry);
		if (bpf_probe_read_kernel(&entry, sizeof(entry), (void *)table) ||
		    !(entry & ENTRY_PRESENT))
			return false;
		if (level == 1 || (level <= LEAF_LEVELS && entry & ENTRY_LEAF)) {
			below = BIT64(shift) - 1;
			found->entry = entry;
			found->pfn = (ENTRY_PFN(entry) & ~below) | (page & below);
			return true;
		}
		table = base + (ENTRY_PFN(entry) << PAGE_SHIFT);
	}
	return false;
}

static __always_inline bool pfn_is_ksm(__u64 pfn)
{
	struct page *page = (void *)(found_vmemmap + pfn * bpf_core_type_size(struct page));

	return ((__u64)BPF_CORE_READ(page, mapping) & 3) == MAPPING_KSM;
}

#endif /* KSM_PAGES_BPF_H */
