// SPDX-License-Identifier: GPL-2.0
/* The tracepoints of in-tree KSM (TRACE_SYSTEM ksm) and the scheduler's view of its thread. */
#include "points.bpf.h"

#define SCANNER_SLEEPS(state) ((state)&1)

/* A struct first_half. Not static: clang would split it, and the kernel refuse the pieces' BTF. */
__u64 tp_first[FIRST_HALF_WORDS];
static __u64 asleep_since[2];

SEC("tp_btf/ksm_start_scan")
int BPF_PROG(tp_start_scan, int seq, __u32 rmap_entries)
{
	point_scan(KSM_EVENT_SCAN_START, seq, rmap_entries);
	return 0;
}

SEC("tp_btf/ksm_stop_scan")
int BPF_PROG(tp_stop_scan, int seq, __u32 rmap_entries)
{
	point_scan(KSM_EVENT_SCAN_STOP, seq, rmap_entries);
	return 0;
}

SEC("tp_btf/ksm_merge_with_ksm_page")
int BPF_PROG(tp_merge, void *kpage, unsigned long pfn, void *rmap_item, void *mm, int err)
{
	point_merge(tp_first, kpage, pfn, rmap_item, mm, err);
	return 0;
}

SEC("tp_btf/ksm_merge_one_page")
int BPF_PROG(tp_zero_merge, unsigned long pfn, void *rmap_item, void *mm, int err)
{
	point_zero_merge(pfn, rmap_item, mm, err);
	return 0;
}

SEC("tp_btf/ksm_enter")
int BPF_PROG(tp_enter, void *mm)
{
	point_enter(mm);
	return 0;
}

SEC("tp_btf/ksm_exit")
int BPF_PROG(tp_exit, void *mm)
{
	point_exit(mm);
	return 0;
}

SEC("tp_btf/ksm_remove_ksm_page")
int BPF_PROG(tp_remove_page, unsigned long pfn)
{
	point_page_removed(pfn);
	return 0;
}

/* Only items that go together with their KSM page, and not the last of them. */
SEC("tp_btf/ksm_remove_rmap_item")
int BPF_PROG(tp_remove_item, unsigned long pfn, void *rmap_item, void *mm)
{
	point_item(KSM_EVENT_RMAP_REMOVED, rmap_item, mm, pfn, 1);
	return 0;
}

SEC("tp_btf/ksm_advisor")
int BPF_PROG(tp_advisor, __s64 scan_time, unsigned long pages, unsigned int cpu)
{
	point_advisor(scan_time, pages, cpu);
	return 0;
}

/* Which engine's scanner a task is, or -1. Runs at every context switch: cheapest test first. */
static __always_inline int scanner_of(struct task_struct *task)
{
	__u64 name;

	if (!(task->flags & PF_KTHREAD))
		return -1;
	bpf_core_read(&name, sizeof(name), &task->comm);
	if ((__u32)name == 0x646d736b && !((name >> 32) & 0xff)) /* "ksmd" */
		return backends & 1 << KSM_BACKEND_KERNEL ? KSM_BACKEND_KERNEL : -1;
	if (name == 0x69676e655f6d736bULL) /* "ksm_engi" */
		return backends & 1 << KSM_BACKEND_ENGINE ? KSM_BACKEND_ENGINE : -1;
	return -1;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	struct ksm_event event = {};
	int from = scanner_of(prev), to = scanner_of(next);
	__u64 now;

	if (from < 0 && to < 0)
		return 0;
	now = bpf_ktime_get_ns();

	if ((from == 0 || from == 1) && SCANNER_SLEEPS(prev_state)) {
		asleep_since[from] = now;
		event.type = KSM_EVENT_BATCH_SLEEP;
		ksm_emit(&event);
	}
	if ((to == 0 || to == 1) && asleep_since[to]) {
		event.type = KSM_EVENT_BATCH_WAKE;
		event.n64 = now - asleep_since[to];
		asleep_since[to] = 0;
		ksm_emit(&event);
	}
	return 0;
}
