// SPDX-License-Identifier: GPL-2.0
/*
 * Every process with KSM state as one stream of fixed records instead of /proc. Where the kernel
 * lets a program walk all processes itself (6.7), that is one call and rows in shared memory: it
 * touches a third of the cache lines, for it looks up no pid and takes no reference. Elsewhere the
 * task iterator is read.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define VM_MERGEABLE 0x80000000ULL
#define WALK_ROWS 8192 /* as in tools/lib/stream_procs.c: a walk does not rest, so it is short */

/* Read by tools/lib/stream_procs.c, as struct ksm_proc_row. */
struct proc_record {
	__u32 tgid;
	__u32 ppid;
	__u32 uid;
	__u32 named;
	__u64 start_ns;
	__u64 merging_pages;
	__u64 rmap_items;
	__u64 zero_pages;
	__u64 mm_flags;
	__u64 cgroup_id;
	char comm[16];
};

/*
 * Set by the reader between two passes. What a process is called, whose it is and where it belongs
 * changes seldom and lies in cache lines of its own: that is read of those which started since
 * @named_since, and of those whose tgid & @named_mask is @named_turn.
 */
__u32 want_all = 0;
__u32 named_mask = 0;
__u32 named_turn = 0;
__u64 named_since = 0;
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

static __always_inline void add_names(struct proc_record *record, struct task_struct *task)
{
	record->named = 1;
	record->ppid = task->real_parent->tgid;
	record->uid = task->real_cred->uid.val;
	record->cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	bpf_probe_read_kernel(&record->comm, sizeof(record->comm), &task->comm);
	record->comm[sizeof(record->comm) - 1] = 0;
}

/* Everything but the names. Return: whether the process is wanted. */
static __always_inline bool add_counts(struct proc_record *record, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	if (!mm)
		return false;
	record->merging_pages = mm->ksm_merging_pages;
	record->rmap_items = mm->ksm_rmap_items;
	record->zero_pages = zero_pages(mm);
	record->mm_flags = mm_flags(mm);
	if (!want_all && !record->merging_pages && !record->rmap_items && !record->zero_pages)
		return false;
	record->tgid = task->tgid;
	record->start_ns = task->start_time;
	record->named = 0;
	return true;
}

static __always_inline bool wants_names(const struct proc_record *record)
{
	return (record->tgid & named_mask) == named_turn || record->start_ns >= named_since;
}

SEC("iter/task")
int ksm_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct proc_record record = {};

	if (!task || task->pid != task->tgid || !add_counts(&record, task))
		return 0;
	if (wants_names(&record))
		add_names(&record, task);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* Filled by a pass of ksm_walk: so many; WALK_ROWS may be not all. */
__u32 walk_count = 0;

struct walk {
	struct proc_record rows[WALK_ROWS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct walk);
} walk SEC(".maps");

/*
 * The count lives in memory and not in a register, so that the verifier need not follow each turn
 * of the loop.
 */
SEC("syscall")
int ksm_walk(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task;
	struct walk *all;
	__u32 zero = 0;

	walk_count = 0;
	all = bpf_map_lookup_elem(&walk, &zero);
	if (!all)
		return 1;
	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, BPF_TASK_ITER_ALL_PROCS);
	while ((task = bpf_iter_task_next(&it))) {
		__u32 at = walk_count;
		struct proc_record *record;

		if (at >= WALK_ROWS)
			break;
		record = &all->rows[at];
		if (!add_counts(record, task))
			continue;
		if (wants_names(record))
			add_names(record, task);
		walk_count = at + 1;
	}
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
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
