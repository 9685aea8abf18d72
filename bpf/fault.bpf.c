// SPDX-License-Identifier: GPL-2.0
/*
 * KSM pages losing a user: copy-on-write breaks, unmerged ranges, copies at swap-in. The same for
 * both engines: the kernel's own fault path does it, and knows a KSM page by the same mark.
 */
#include "breaks.bpf.h"
#include "pages.bpf.h"
#include "points.bpf.h"

#define MADV_UNMERGEABLE 13
#define FAULT_FAILED 0xc73 /* OOM, SIGBUS, HWPOISON, SIGSEGV, RETRY, FALLBACK */
#define IS_ERROR(p) ((__u64)(p) >= -4095ULL)

/* A write fault on a KSM page under way, by thread. */
struct break_state {
	__u64 start;
	__u64 address;
	__u64 kpfn;
	__u64 mm;
	__u64 why;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct break_state);
} breaking SEC(".maps");

/*
 * Unmerging breaks remotely. Kernels that have per-VMA locks ask for an unshare as well, older
 * ones for a write, as does a debugger's write there.
 */
static __always_inline bool is_unmerge(__u64 flags)
{
	if (!(flags & FAULT_FLAG_REMOTE))
		return false;
	return flags & FAULT_FLAG_UNSHARE ||
	       !bpf_core_enum_value_exists(enum fault_flag, FAULT_FLAG_VMA_LOCK);
}

SEC("fentry/do_wp_page")
int BPF_PROG(wp_entry, struct vm_fault *vmf)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct break_state state = {};

	state.kpfn = ENTRY_PFN(vmf->orig_pte.pte);
	if (!pfn_is_ksm(state.kpfn))
		return 0;
	state.start = bpf_ktime_get_ns();
	state.address = PAGE_ADDRESS(vmf->address);
	state.mm = (__u64)vmf->vma->vm_mm;
	state.why = is_unmerge(vmf->flags) ? KSM_COW_UNMERGE : KSM_COW_WRITE;
	if (bpf_map_update_elem(&breaking, &thread, &state, BPF_ANY)) {
		ksm_count(&fired, KSM_EVENT_COW_BREAK);
		ksm_count_lost(KSM_EVENT_COW_BREAK);
	}
	return 0;
}

SEC("fexit/do_wp_page")
int BPF_PROG(wp_exit, struct vm_fault *vmf, unsigned int ret)
{
	struct ksm_event event = { .type = KSM_EVENT_COW_BREAK };
	__u64 thread = bpf_get_current_pid_tgid();
	struct break_state *state = bpf_map_lookup_elem(&breaking, &thread);

	if (!state)
		return 0;
	if (!(ret & FAULT_FAILED) && state->address == PAGE_ADDRESS(vmf->address)) {
		event.address = state->address;
		event.pfn = state->kpfn;
		event.n32 = state->why;
		event.n64 = bpf_ktime_get_ns() - state->start;
		point_break(&event, (void *)state->mm);
	}
	bpf_map_delete_elem(&breaking, &thread);
	return 0;
}

SEC("fexit/ksm_madvise")
int BPF_PROG(madvise_exit, struct vm_area_struct *vma, unsigned long start, unsigned long end,
	     int advice, unsigned long *vm_flags, int ret)
{
	struct ksm_event event = {
		.type = KSM_EVENT_UNMERGE_RANGE,
		.address = start,
		.n64 = end - start,
	};

	if (ret || advice != MADV_UNMERGEABLE)
		return 0;
	ksm_emit_mm(&event, vma->vm_mm);
	return 0;
}

/* The whole process leaves, as by prctl(PR_SET_MEMORY_MERGE, 0): no one range. */
SEC("fexit/ksm_disable")
int BPF_PROG(disable_exit, struct mm_struct *mm, int ret)
{
	struct ksm_event event = { .type = KSM_EVENT_UNMERGE_RANGE };

	if (!ret)
		ksm_emit_mm(&event, mm);
	return 0;
}

/* Compares and computes with the pointers, so they are taken as numbers. */
SEC("fexit/ksm_might_need_to_copy")
int BPF_PROG(swapin_exit, void *page, struct vm_area_struct *vma, unsigned long address)
{
	struct ksm_event event = { .type = KSM_EVENT_SWAPIN_COPY };
	__u64 old = 0, copy = 0;

	bpf_get_func_arg(ctx, 0, &old);
	bpf_get_func_ret(ctx, &copy);
	if (!copy || copy == old || IS_ERROR(copy))
		return 0;
	event.address = PAGE_ADDRESS(address);
	if (found_vmemmap)
		event.pfn = (old - found_vmemmap) / bpf_core_type_size(struct page);
	ksm_emit_mm(&event, vma->vm_mm);
	return 0;
}
