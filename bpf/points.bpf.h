/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each of KSM's points means as an event. The in-tree tracepoints, the fentry programs for
 * kernels without them and the engine's tracepoints all end here: same arguments, same meaning.
 */
#ifndef KSM_POINTS_BPF_H
#define KSM_POINTS_BPF_H

#include "emit.bpf.h"

/* Whose pages the last event was about: the next one is often about the same. */
struct last_owner {
	__u64 mm;
	__u64 life; /* as it was when that was looked up */
	__u32 id;
	__u32 tgid;
};

/*
 * The first half of a new KSM page. Kernel and engine tell of a new page in two steps: a page
 * made KSM in place (no kpage yet), then its twin merged into it. When the second step fails the
 * first is undone, so nothing is told before the second step. Both engines serialise their
 * merges, hence one slot each.
 */
struct first_half {
	void *rmap_item;
	void *mm;
	__u64 pfn;
	struct last_owner owners[2]; /* of the first page, of the second */
};

#define FIRST_HALF_WORDS (sizeof(struct first_half) / sizeof(__u64))

static __always_inline __u64 item_address(void *ptr)
{
	struct ksm_rmap_item *item = ptr;

	return PAGE_ADDRESS(BPF_CORE_READ(item, address));
}

static __always_inline void point_scan(__u16 type, int seq, __u32 rmap_items)
{
	struct ksm_event event = { .type = type, .n32 = seq, .n64 = rmap_items };

	ksm_emit(&event);
}

/* One event about a tracked page of the address space @mm. */
static __always_inline void point_item(__u16 type, void *rmap_item, void *mm, __u64 pfn, __u32 n32)
{
	struct ksm_event event = { .type = type, .n32 = n32, .pfn = pfn };

	if (!ksm_only_counted(type))
		event.address = item_address(rmap_item);
	ksm_emit_mm(&event, mm);
}

/*
 * The same for a merge, of which there may be a million a second. A filter is asked each time: the
 * process may have moved to another cgroup.
 */
static __always_inline void point_merged(struct last_owner *last, __u16 type, void *rmap_item,
					 void *mm, __u64 pfn)
{
	struct ksm_event event = { .type = type, .pfn = pfn };
	__u64 now = *(volatile __u64 *)&life;

	if (ksm_only_counted(type)) {
		ksm_emit(&event);
		return;
	}
	event.address = item_address(rmap_item);
	if (ksm_filtering() || last->mm != (__u64)mm || last->life != now) {
		if (!ksm_fill_mm(&event, mm))
			return;
		last->mm = (__u64)mm;
		last->life = now;
		last->id = event.mm;
		last->tgid = event.tgid;
	}
	event.mm = last->id;
	event.tgid = last->tgid;
	ksm_emit(&event);
}

static __always_inline void point_merge(__u64 *slot, void *kpage, __u64 pfn, void *rmap_item,
					void *mm, int err)
{
	struct first_half *first = (struct first_half *)slot;

	if (err) {
		first->rmap_item = NULL;
		point_item(KSM_EVENT_MERGE_FAILED, rmap_item, mm, pfn, -err);
	} else if (!kpage) {
		first->rmap_item = rmap_item;
		first->mm = mm;
		first->pfn = pfn;
	} else {
		if (first->rmap_item && first->pfn == pfn)
			point_merged(&first->owners[0], KSM_EVENT_NEW_PAGE,
				     first->rmap_item, first->mm, pfn);
		first->rmap_item = NULL;
		point_merged(&first->owners[1], KSM_EVENT_MERGE, rmap_item, mm, pfn);
	}
}

static __always_inline void point_zero_merge(__u64 pfn, void *rmap_item, void *mm, int err)
{
	point_item(err ? KSM_EVENT_MERGE_FAILED : KSM_EVENT_ZERO_MERGE, rmap_item, mm, pfn, -err);
}

static __always_inline void point_advisor(__u64 scan_time, __u64 pages, __u32 cpu)
{
	struct ksm_event event = {
		.type = KSM_EVENT_ADVISOR,
		.n32 = cpu,
		.address = pages,
		.n64 = scan_time,
	};

	ksm_emit(&event);
}

static __always_inline void point_page_removed(__u64 pfn)
{
	struct ksm_event event = { .type = KSM_EVENT_PAGE_REMOVED, .pfn = pfn };

	ksm_emit(&event);
}

/*
 * An address space enters KSM: by its own madvise() or prctl(), across exec, found by the engine,
 * or through the fork that makes it. In a fork the owner is the child and still carries the tgid of
 * the parent, which is running: process_fork() emits the event when the child has its own.
 */
static __always_inline void point_enter(void *ptr)
{
	struct ksm_event event = { .type = KSM_EVENT_ENTER };
	struct mm_struct *mm = ptr;
	struct task_struct *current = (struct task_struct *)bpf_get_current_task();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, owner_tgid = 0;
	struct task_struct *owner = NULL;
	bool foreign = mm != BPF_CORE_READ(current, mm);
	struct mm_state *state;

	if (bpf_core_field_exists(mm->owner))
		owner = BPF_CORE_READ(mm, owner);
	if (owner)
		owner_tgid = BPF_CORE_READ(owner, tgid);
	if (owner && foreign && owner != current && owner_tgid == tgid) {
		ksm_mm_new((__u64)mm, 0, MM_FORKING);
		return;
	}
	if (owner)
		tgid = owner_tgid;
	else if (foreign)
		tgid = 0;
	state = ksm_mm_new((__u64)mm, tgid, 0);
	if (tgid && state && ksm_filtering())
		ksm_judge_mm(state, owner ? owner : current, tgid);
	if (state ? !(state->flags & MM_PASSED) : ksm_filtering())
		return;
	if (tgid)
		ksm_process(owner ? owner : current, tgid, (__u64)mm);
	event.tgid = tgid;
	event.mm = state ? state->id : 0;
	ksm_emit(&event);
}

static __always_inline void point_exit(void *mm)
{
	struct ksm_event event = { .type = KSM_EVENT_EXIT };
	__u64 key = (__u64)mm;
	struct mm_state *state = bpf_map_lookup_elem(&mms, &key);
	struct tgid_state *process;

	if (!state) {
		event.tgid = bpf_get_current_pid_tgid() >> 32;
		process = bpf_map_lookup_elem(&tgids, &event.tgid);
		if (process)
			process->exited = 1;
		if (!ksm_passes((struct task_struct *)bpf_get_current_task(), event.tgid))
			return;
	} else {
		if (state->flags & MM_EXITED || !(state->flags & MM_PASSED))
			return;
		ksm_life_changes();
		state->flags |= MM_EXITED;
		event.tgid = state->tgid;
		event.mm = state->id;
	}
	ksm_emit(&event);
}

#endif /* KSM_POINTS_BPF_H */
