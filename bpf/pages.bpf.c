// SPDX-License-Identifier: GPL-2.0
/*
 * Finding the direct map and the array of struct page. Run once by the tool, before it attaches
 * what needs them.
 */
#include "pages.bpf.h"

#define GIB_SHIFT 30
#define MAX_GIB 65536 /* what four levels of page tables can map directly */

__u64 found_direct_map = 0;
__u64 found_vmemmap = 0;
__u32 found_levels = 0;

extern const void vmemmap_base __ksym __weak;

struct base_search {
	__u64 pgd;
	__u64 base;
	int levels;
};

/* The right base and depth are those with which a page table maps its own address to itself. */
static bool maps_itself(__u64 pgd, __u64 base, int levels)
{
	struct table_entry own;

	return walk_tables(pgd, pgd, base, levels, &own) && own.pfn == (pgd - base) >> PAGE_SHIFT;
}

/* The direct map begins at a multiple of 1 GiB, and this page table lies in it. */
static long try_base(__u32 index, struct base_search *search)
{
	__u64 base = ((search->pgd >> GIB_SHIFT) - index) << GIB_SHIFT;

	for (int levels = MAX_LEVELS - 1; levels <= MAX_LEVELS; levels++) {
		if (maps_itself(search->pgd, base, levels)) {
			search->base = base;
			search->levels = levels;
			return 1;
		}
	}
	return 0;
}

static bool find_direct_map(__u64 pgd)
{
	struct base_search search = { .pgd = pgd };

	if (found_direct_map)
		return true;
	bpf_loop(MAX_GIB, try_base, &search, 0);
	found_levels = search.levels;
	found_direct_map = search.base;
	return search.base;
}

/*
 * A task's stack is mapped page by page, and the kernel keeps the pages' descriptors: with the
 * frame of one of them the beginning of the array follows. The second page confirms it.
 */
static __u64 vmemmap_from_stack(struct task_struct *task, __u64 pgd)
{
	__u64 stack = (__u64)BPF_CORE_READ(task, stack), base[2] = {};
	struct page **pages, *page;
	struct table_entry at;

	if (!bpf_core_field_exists(task->stack_vm_area))
		return 0;
	pages = BPF_CORE_READ(task, stack_vm_area, pages);
	for (int i = 0; i < 2; i++) {
		if (bpf_probe_read_kernel(&page, sizeof(page), &pages[i]) ||
		    !walk_tables(pgd, stack + ((__u64)i << PAGE_SHIFT), found_direct_map,
				 found_levels, &at))
			return 0;
		base[i] = (__u64)page - at.pfn * bpf_core_type_size(struct page);
	}
	return base[0] == base[1] ? base[0] : 0;
}

static bool find_array(struct task_struct *task, __u64 pgd)
{
	if (!found_vmemmap)
		bpf_probe_read_kernel(&found_vmemmap, sizeof(found_vmemmap), &vmemmap_base);
	if (!found_vmemmap && find_direct_map(pgd))
		found_vmemmap = vmemmap_from_stack(task, pgd);
	return found_vmemmap;
}

/* Return, to the tool: 0 when pfn_is_ksm() can be asked. */
SEC("syscall")
int find_pages(void *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return !find_array(task, (__u64)BPF_CORE_READ(task, mm, pgd));
}

/* Return, to the tool: 0 when page tables can be walked as well. */
SEC("syscall")
int find_tables(void *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 pgd = (__u64)BPF_CORE_READ(task, mm, pgd);

	return !find_array(task, pgd) || !find_direct_map(pgd);
}
