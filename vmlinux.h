/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel types that bpf/ uses, trimmed by hand: only the members read, at whatever offset the
 * running kernel has them (CO-RE). Building therefore needs neither kernel headers nor BTF.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u64 u64;
typedef __u32 u32;
typedef _Bool bool;

enum { false, true };

/* Values of the BPF user ABI; declared here because linux/bpf.h would bring types of its own. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY, BPF_NOEXIST, BPF_EXIST };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0, BPF_RB_CONS_POS = 2 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct signal_struct {
	atomic_t live;
};

typedef struct {
	unsigned long pgd;
} pgd_t;

struct vm_struct {
	struct page **pages;
};

struct pt_regs {
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
};

struct mm_struct {
	struct task_struct *owner;
	pgd_t *pgd;
	unsigned long ksm_merging_pages;
	unsigned long ksm_rmap_items;
};

/* ksm_zero_pages came as a plain number and became an atomic one. */
struct mm_struct___zero_plain {
	unsigned long ksm_zero_pages;
};

struct mm_struct___zero_atomic {
	atomic64_t ksm_zero_pages;
};

/* So did its flags, which became a bitmap of a type of their own. */
typedef struct {
	unsigned long __mm_flags[1];
} mm_flags_t;

struct mm_struct___flags_bitmap {
	mm_flags_t flags;
};

struct mm_struct___flags_word {
	unsigned long flags;
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	char comm[16];
	__u64 start_time;
	void *stack;
	struct vm_struct *stack_vm_area;
	struct mm_struct *mm;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	const struct cred *real_cred;
	struct css_set *cgroups;
};

struct page {
	struct address_space *mapping;
	unsigned long index;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	unsigned long vm_flags;
	struct mm_struct *vm_mm;
};

typedef struct {
	unsigned long pte;
} pte_t;

enum fault_flag {
	FAULT_FLAG_REMOTE = 1 << 7,
	FAULT_FLAG_UNSHARE = 1 << 10,
	FAULT_FLAG_VMA_LOCK = 1 << 12,
};

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long address;
	enum fault_flag flags;
	pte_t orig_pte;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct ksm_stable_node {
	struct hlist_head hlist;
	unsigned long kpfn;
	int rmap_hlist_len;
};

struct ksm_scan {
	unsigned long seqnr;
};

struct ksm_rmap_item {
	struct mm_struct *mm;
	unsigned long address;
	struct ksm_stable_node *head;
	struct hlist_node hlist;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

#pragma clang attribute pop

/* Of 6.7 and later: its content is the kernel's business. */
struct bpf_iter_task {
	__u64 __opaque[3];
} __attribute__((aligned(8)));

enum {
	BPF_TASK_ITER_ALL_PROCS = 0,
};

extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task,
			     unsigned int flags) __attribute__((weak, section(".ksyms")));
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it)
	__attribute__((weak, section(".ksyms")));
extern void bpf_iter_task_destroy(struct bpf_iter_task *it)
	__attribute__((weak, section(".ksyms")));
extern void bpf_rcu_read_lock(void) __attribute__((weak, section(".ksyms")));
extern void bpf_rcu_read_unlock(void) __attribute__((weak, section(".ksyms")));

/* The user ABI on x86-64, the same everywhere. */
struct bpf_perf_event_data {
	__u64 regs[21];
	__u64 sample_period;
	__u64 addr;
};

#endif /* __VMLINUX_H__ */
