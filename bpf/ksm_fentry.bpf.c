// SPDX-License-Identifier: GPL-2.0
/*
 * In-tree KSM by its functions: the only way on kernels without KSM tracepoints, and on all
 * kernels the only exact account of items that leave a KSM page one by one. Every function
 * hooked runs under the kernel's ksm_thread_mutex, so plain variables suffice.
 */
#include "points.bpf.h"

#define STABLE_FLAG 0x200
#define MAX_ITEMS (1 << 20)

/* Whether PAGE_REMOVED comes from here or from a tracepoint. Set before loading. */
const volatile __u32 page_removed_here = 0;

/* The item being removed on its own: its page's end, if that comes now, must not count it again. */
static __u64 removing;

/* ksmd drains the LRU caches once, at the start of a pass. */
SEC("fentry/lru_add_drain_all")
int BPF_PROG(drain_all)
{
	char comm[8] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	if (comm[0] == 'k' && comm[1] == 's' && comm[2] == 'm' && comm[3] == 'd' && !comm[4])
		point_scan(KSM_EVENT_SCAN_START, 0, 0);
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
