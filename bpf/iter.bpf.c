// SPDX-License-Identifier: GPL-2.0
/* Every process with KSM state as one stream of fixed records: one read() instead of /proc. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define VM_MERGEABLE 0x80000000ULL

/* Read by tools/lib/stream_procs.c, as struct ksm_proc_row. */
struct proc_record {
	__u32 tgid;
	__u32 ppid;
	__u32 uid;
	__u32 unused;
	__u64 start_ns;
	__u64 merging_pages;
	__u64 rmap_items;
	__u64 zero_pages;
	__u64 mm_flags;
	__u64 cgroup_id;
	char comm[16];
};

/* Set by the reader between two passes. */
__u32 want_all = 0;
/* Filled by a pass of ksm_vmas. */
__u64 mergeable_bytes = 0;

/*
 * An iterator's task is a trusted pointer: its members are read directly, which costs a few
 * instructions each and not a call.
 */
static __always_inline __u64 zero_pages(struct mm_struct *mm)
{
	struct mm_struct___zero_plain *plain = (void *)mm;
	struct mm_struct___zero_atomic *atomic = (void *)mm;

	if (bpf_core_field_exists(atomic->ksm_zero_pages))
		return atomic->ksm_zero_pages.counter;
	if (bpf_core_field_exists(plain->ksm_zero_pages))
		return plain->ksm_zero_pages;
	return 0;
}

static __always_inline __u64 mm_flags(struct mm_struct *mm)
{
	struct mm_struct___flags_bitmap *bitmap = (void *)mm;
	struct mm_struct___flags_word *word = (void *)mm;

	if (bpf_core_field_exists(bitmap->flags.__mm_flags))
		return bitmap->flags.__mm_flags[0];
	if (bpf_core_field_exists(word->flags))
		return word->flags;
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
	mm = task->mm;
	if (!mm)
		return 0;
	record.merging_pages = mm->ksm_merging_pages;
	record.rmap_items = mm->ksm_rmap_items;
	record.zero_pages = zero_pages(mm);
	record.mm_flags = mm_flags(mm);
	if (!want_all && !record.merging_pages && !record.rmap_items && !record.zero_pages)
		return 0;
	record.tgid = task->tgid;
	record.ppid = task->real_parent->tgid;
	record.uid = task->real_cred->uid.val;
	record.start_ns = task->start_time;
	record.cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	bpf_probe_read_kernel(&record.comm, sizeof(record.comm), &task->comm);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* Attached to one process at a time: adds up what it marked mergeable. */
SEC("iter/task_vma")
int ksm_vmas(struct bpf_iter__task_vma *ctx)
{
	struct vm_area_struct *vma = ctx->vma;

	if (vma && vma->vm_flags & VM_MERGEABLE)
		mergeable_bytes += vma->vm_end - vma->vm_start;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
