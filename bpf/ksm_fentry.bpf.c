// SPDX-License-Identifier: GPL-2.0
/*
 * In-tree KSM by its functions: the only way on kernels without KSM tracepoints, and on all
 * kernels the only exact account of items that leave a KSM page one by one. Every function
 * hooked runs under the kernel's ksm_thread_mutex, so plain variables suffice.
 */
#include "pages.bpf.h"
#include "points.bpf.h"

#define STABLE_FLAG 0x200
#define MAX_ITEMS (1 << 20)

/* Whether PAGE_REMOVED comes from here or from a tracepoint. Set before loading. */
const volatile __u32 page_removed_here = 0;

/* The item being removed on its own: its page's end, if that comes now, must not count it again. */
static __u64 removing;

/* Where the scanner is, and how many items it has. Both are private to mm/ksm.c, but symbols. */
extern const void ksm_scan __ksym __weak;
extern const void ksm_rmap_items __ksym __weak;

static __always_inline __u64 pass_number(void)
{
	struct ksm_scan *scan = (void *)&ksm_scan;

	return BPF_CORE_READ(scan, seqnr);
}

static __always_inline void point_pass(__u16 type, __u64 pass)
{
	__u64 items = 0;

	bpf_probe_read_kernel(&items, sizeof(items), &ksm_rmap_items);
	point_scan(type, pass, items);
}

static __always_inline bool is_ksmd(__u64 comm)
{
	return (__u32)comm == 0x646d736b && !((comm >> 32) & 0xff);
}

/* ksmd drains the LRU caches once, at the start of a pass. */
SEC("fentry/lru_add_drain_all")
int BPF_PROG(drain_all)
{
	__u64 comm[2] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	if (is_ksmd(comm[0]))
		point_pass(KSM_EVENT_SCAN_START, pass_number());
	return 0;
}

/* Return, to the tool: 0 when the number of the pass can be read. */
SEC("syscall")
int find_scan(void *ctx)
{
	return !&ksm_scan;
}

/* The pass that was under way when ksmd last went off the CPU; 0 before that. */
static __u64 last_pass;

/* ksmd rests when a pass is over: a new number tells. */
SEC("tp_btf/sched_switch")
int BPF_PROG(pass_end, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	__u64 comm = 0, pass;

	if (!(prev->flags & PF_KTHREAD))
		return 0;
	bpf_core_read(&comm, sizeof(comm), &prev->comm);
	if (!is_ksmd(comm))
		return 0;
	pass = pass_number() + 1;
	if (last_pass && pass > last_pass)
		point_pass(KSM_EVENT_SCAN_STOP, pass - 2);
	last_pass = pass;
	return 0;
}

SEC("fentry/stable_tree_append")
int BPF_PROG(tree_append, struct ksm_rmap_item *item, struct ksm_stable_node *node)
{
	__u16 type = node->hlist.first ? KSM_EVENT_MERGE : KSM_EVENT_NEW_PAGE;

	point_item(type, item, BPF_CORE_READ(item, mm), BPF_CORE_READ(node, kpfn), 0);
	return 0;
}

SEC("fexit/try_to_merge_with_ksm_page")
int BPF_PROG(merge_exit, struct ksm_rmap_item *item, struct page *page, struct page *kpage, int ret)
{
	if (ret)
		point_item(KSM_EVENT_MERGE_FAILED, item, BPF_CORE_READ(item, mm), 0, -ret);
	return 0;
}

/*
 * Set from here to there: what is merged meanwhile is no zero page. Not static: clang would make it
 * a bool, and the kernel refuse its BTF.
 */
__u32 merging_with_ksm_page;

SEC("fentry/try_to_merge_with_ksm_page")
int BPF_PROG(merge_entry)
{
	merging_with_ksm_page = 1;
	return 0;
}

SEC("fexit/try_to_merge_with_ksm_page")
int BPF_PROG(merge_left)
{
	merging_with_ksm_page = 0;
	return 0;
}

/* Called for zero pages directly. Which item it is about is not among the arguments. */
SEC("fexit/try_to_merge_one_page")
int BPF_PROG(one_exit, struct vm_area_struct *vma, struct page *page, struct page *kpage, int ret)
{
	struct ksm_event event = { .n32 = -ret };
	__u64 index, zero = 0;

	if (merging_with_ksm_page)
		return 0;
	event.type = ret ? KSM_EVENT_MERGE_FAILED : KSM_EVENT_ZERO_MERGE;
	index = BPF_CORE_READ(page, index);
	event.address = vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT);
	/* A pointer may not be computed with, a number may. */
	bpf_get_func_arg(ctx, 2, &zero);
	if (found_vmemmap && !ret)
		event.pfn = (zero - found_vmemmap) / bpf_core_type_size(struct page);
	ksm_emit_mm(&event, vma->vm_mm);
	return 0;
}

SEC("fexit/__ksm_enter")
int BPF_PROG(enter_exit, struct mm_struct *mm, int ret)
{
	if (!ret)
		point_enter(mm);
	return 0;
}

SEC("fentry/__ksm_exit")
int BPF_PROG(exit_entry, struct mm_struct *mm)
{
	point_exit(mm);
	return 0;
}

SEC("fentry/remove_rmap_item_from_tree")
int BPF_PROG(remove_item, struct ksm_rmap_item *item)
{
	removing = 0;
	if (!(BPF_CORE_READ(item, address) & STABLE_FLAG))
		return 0;
	removing = (__u64)item;
	point_item(KSM_EVENT_RMAP_REMOVED, item, BPF_CORE_READ(item, mm),
		   BPF_CORE_READ(item, head, kpfn), 1);
	return 0;
}

struct item_walk {
	struct hlist_node *node;
	__u64 kpfn;
};

static long walk_item(__u32 index, struct item_walk *walk)
{
	struct hlist_node *node = walk->node;
	struct ksm_rmap_item *item;

	if (!node)
		return 1;
	item = (void *)node - bpf_core_field_offset(struct ksm_rmap_item, hlist);
	walk->node = BPF_CORE_READ(node, next);
	if ((__u64)item != removing)
		point_item(KSM_EVENT_RMAP_REMOVED, item, BPF_CORE_READ(item, mm), walk->kpfn, 1);
	return 0;
}

/* The page is gone: all items left on it go with it. */
SEC("fentry/remove_node_from_stable_tree")
int BPF_PROG(remove_node, struct ksm_stable_node *node)
{
	struct item_walk walk = {
		.node = BPF_CORE_READ(node, hlist.first),
		.kpfn = BPF_CORE_READ(node, kpfn),
	};

	bpf_loop(MAX_ITEMS, walk_item, &walk, 0);
	if (page_removed_here)
		point_page_removed(walk.kpfn);
	return 0;
}
