// SPDX-License-Identifier: GPL-2.0
/*
 * KSM pages losing a user, on a kernel whose functions cannot be hooked: page faults begin at a
 * tracepoint, where the page table still shows what is going to be copied, and end where the
 * kernel counts them for perf. Whatever breaks a page without a fault is not seen.
 */
#include "breaks.bpf.h"
#include "pages.bpf.h"

/* Bits of a page fault's error code. */
#define FAULT_PRESENT 1
#define FAULT_WRITE 2
#define FAULT_RESERVED 8
#define FAULT_INSTRUCTION 16
#define FAULT_KEY 32
#define FAULT_BREAKS (FAULT_PRESENT | FAULT_WRITE)
#define FAULT_BITS (FAULT_BREAKS | FAULT_RESERVED | FAULT_INSTRUCTION | FAULT_KEY)

#define NR_MADVISE 28
#define NR_PRCTL 157
#define MADV_UNMERGEABLE 13
#define PR_SET_MEMORY_MERGE 67

/* Whether faults are told where they end. Set before loading. */
const volatile __u32 fault_ends_seen = 0;

struct fault_state {
	__u64 start;
	__u64 address;
	__u64 kpfn;
};

/*
 * Write faults on KSM pages under way, by thread. A fault that ends in a signal has no end here, so
 * the oldest entries have to make room; there is never more than one under way in a thread.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct fault_state);
} faulting SEC(".maps");

/*
 * So many of them are under way, or more: those that ended in a signal are not taken off. While
 * there are none, the end of each fault of the machine need not look into the map.
 */
__u64 faults_under_way = 0;

static __always_inline void tell_break(const struct fault_state *state, struct mm_struct *mm)
{
	struct ksm_event event = {
		.type = KSM_EVENT_COW_BREAK,
		.address = state->address,
		.pfn = state->kpfn,
		.n32 = KSM_COW_WRITE,
	};

	if (fault_ends_seen)
		event.n64 = bpf_ktime_get_ns() - state->start;
	point_break(&event, mm);
}

static __always_inline int fault_begins(__u64 address, __u64 code)
{
	struct task_struct *task;
	struct fault_state state = {};
	struct table_entry page;
	struct mm_struct *mm;
	__u64 thread;

	if ((code & FAULT_BITS) != FAULT_BREAKS || (__s64)address < 0)
		return 0;
	task = (struct task_struct *)bpf_get_current_task();
	mm = BPF_CORE_READ(task, mm);
	if (!mm || !walk_tables((__u64)BPF_CORE_READ(mm, pgd), address, found_direct_map,
				found_levels, &page))
		return 0;
	if (page.entry & ENTRY_WRITABLE || !pfn_is_ksm(page.pfn))
		return 0;
	state.address = PAGE_ADDRESS(address);
	state.kpfn = page.pfn;
	if (!fault_ends_seen) {
		tell_break(&state, mm);
		return 0;
	}
	thread = bpf_get_current_pid_tgid();
	state.start = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&faulting, &thread, &state, BPF_ANY)) {
		ksm_count(&fired, KSM_EVENT_COW_BREAK);
		ksm_count_lost(KSM_EVENT_COW_BREAK);
	} else {
		__sync_fetch_and_add(&faults_under_way, 1);
	}
	return 0;
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(fault_user, unsigned long address, struct pt_regs *regs, unsigned long code)
{
	return fault_begins(address, code);
}

/* The kernel writes into a process's memory on its behalf, as read() does. */
SEC("tp_btf/page_fault_kernel")
int BPF_PROG(fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long code)
{
	return fault_begins(address, code);
}

/* Runs when a fault was handled, minor or major, once. */
SEC("perf_event")
int fault_end(struct bpf_perf_event_data *ctx)
{
	struct fault_state *state;
	struct task_struct *task;
	__u64 thread;

	if (!faults_under_way)
		return 0;
	thread = bpf_get_current_pid_tgid();
	state = bpf_map_lookup_elem(&faulting, &thread);
	if (!state)
		return 0;
	task = (struct task_struct *)bpf_get_current_task();
	if (state->address == PAGE_ADDRESS(ctx->addr))
		tell_break(state, BPF_CORE_READ(task, mm));
	bpf_map_delete_elem(&faulting, &thread);
	__sync_fetch_and_add(&faults_under_way, -1);
	return 0;
}

/* Sees every system call of the machine: taken only where ksm_madvise() cannot be hooked. */
SEC("tp_btf/sys_exit")
int BPF_PROG(unmerge_call, struct pt_regs *regs, long ret)
{
	struct ksm_event event = { .type = KSM_EVENT_UNMERGE_RANGE };
	struct task_struct *task;

	if (ret)
		return 0;
	if (regs->orig_ax == NR_MADVISE && regs->dx == MADV_UNMERGEABLE) {
		event.address = regs->di;
		event.n64 = regs->si;
	} else if (regs->orig_ax != NR_PRCTL || regs->di != PR_SET_MEMORY_MERGE || regs->si) {
		return 0;
	}
	task = (struct task_struct *)bpf_get_current_task();
	ksm_emit_mm(&event, BPF_CORE_READ(task, mm));
	return 0;
}
