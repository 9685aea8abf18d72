// SPDX-License-Identifier: GPL-2.0
/* Every process with KSM state as one stream of fixed records: one read() instead of /proc. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Read by tools/lib/stream_procs.c. */
struct proc_record {
	__u32 tgid;
	__u32 uid;
	__u64 start_ns;
	__u64 merging_pages;
	__u64 rmap_items;
	__u64 zero_pages;
	char comm[16];
};

static __always_inline __u64 zero_pages(struct mm_struct *mm)
{
	struct mm_struct___zero_plain *plain = (void *)mm;
	struct mm_struct___zero_atomic *atomic = (void *)mm;

	if (bpf_core_field_exists(atomic->ksm_zero_pages))
		return BPF_CORE_READ(atomic, ksm_zero_pages.counter);
	if (bpf_core_field_exists(plain->ksm_zero_pages))
		return BPF_CORE_READ(plain, ksm_zero_pages);
	return 0;
}

SEC("iter/task")
int ksm_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct proc_record record = {};
	struct mm_struct *mm;

	if (!task || task->pid != task->tgid)
		return 0;
	mm = BPF_CORE_READ(task, mm);
	if (!mm)
		return 0;
	record.merging_pages = BPF_CORE_READ(mm, ksm_merging_pages);
	record.rmap_items = BPF_CORE_READ(mm, ksm_rmap_items);
	record.zero_pages = zero_pages(mm);
	if (!record.merging_pages && !record.rmap_items && !record.zero_pages)
		return 0;
	record.tgid = task->tgid;
	record.uid = BPF_CORE_READ(task, real_cred, uid.val);
	record.start_ns = BPF_CORE_READ(task, start_time);
	BPF_CORE_READ_STR_INTO(&record.comm, task, comm);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
