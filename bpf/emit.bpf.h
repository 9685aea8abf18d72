/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How every BPF program hands an event on: counted, then written into the ring when wanted, and
 * counted as lost when the ring is full. The maps live in emit.bpf.c; the objects are linked.
 */
#ifndef KSM_EMIT_BPF_H
#define KSM_EMIT_BPF_H

#include "vmlinux.h"
#include "ksm_event.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define BIT64(n) (1ULL << (n))
#define PF_KTHREAD 0x00200000
#define PAGE_ADDRESS(a) ((a) & ~0xfffULL) /* the low bits of an rmap_item's address are flags */

#define KSM_MAX_PROCESSES 65536
#define KSM_MAX_MMS 16384

/* What is known of an address space. */
struct mm_state {
	__u32 id;
	__u32 tgid;
	__u32 flags;
	__u32 unused;
	__u64 cset; /* the set of cgroups that the filter last looked at */
};

#define MM_FORKING 1 /* being forked: its owner still carries the parent's tgid */
#define MM_EXITED 2  /* its EXIT was emitted */
#define MM_PASSED 4  /* the filter let its owner through, or there is no filter */

/* What is known of a process. */
struct tgid_state {
	__u64 mm;	 /* its address space known to KSM, 0 when it entered before the start */
	__u32 announced; /* its COMM was emitted */
	__u32 exited;	 /* its EXIT was emitted, though not of which address space */
};

struct count_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KSM_EVENT_MAX);
	__type(key, __u32);
	__type(value, __u64);
};

struct ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 23);
};

struct mm_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, KSM_MAX_MMS);
	__type(key, __u64);
	__type(value, struct mm_state);
};

struct tgid_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, KSM_MAX_PROCESSES);
	__type(key, __u32);
	__type(value, struct tgid_state);
};

/* COW breaks of a process; ksm_stream_proc_breaks() reads it. */
struct breaks_state {
	__u64 count;
	__u64 ns; /* that they took, where the hook can tell */
};

struct breaks_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, KSM_MAX_PROCESSES);
	__type(key, __u32);
	__type(value, struct breaks_state);
};

/* Processes that the filter lets through. The values mean nothing. */
struct watched_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, KSM_MAX_PROCESSES);
	__type(key, __u32);
	__type(value, __u32);
};

/* COW breaks by latency: first those by writes, then those by unmerging. */
struct latency_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * KSM_LATENCY_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
};

extern struct count_map fired SEC(".maps");
extern struct count_map lost SEC(".maps");
extern struct ring_map ring SEC(".maps");
extern struct mm_map mms SEC(".maps");
extern struct tgid_map tgids SEC(".maps");
extern struct breaks_map breaks SEC(".maps");
extern struct watched_map watched SEC(".maps");
extern struct latency_map latency SEC(".maps");

/* Set before loading. */
extern const volatile __u64 event_mask;	     /* types that go into the ring */
extern const volatile __u64 count_mask;	     /* types that are counted, a superset */
extern const volatile __u32 filter_tgids;    /* only the processes in `watched` */
extern const volatile __u32 follow_children; /* what they fork is watched too */
extern const volatile __u64 filter_cgroup; /* only processes in this cgroup and below it; 0: all */
extern const volatile __u32 wake_bytes;	   /* pending bytes in the ring that wake the reader */
extern const volatile __u32 wake_mask;	   /* looked at when an event's number has none of these */
extern const volatile __u32 backends;	   /* BIT(KSM_BACKEND_KERNEL), BIT(KSM_BACKEND_ENGINE) */

extern __u32 last_mm_id;
extern __u64 woken_at; /* how far the reader had read when it was last woken */
extern __u64 life; /* counts what may change whose an address space is, see ksm_life_changes() */

/* Return: the number of those before, on this CPU. */
static __always_inline __u64 ksm_count(struct count_map *map, __u32 type)
{
	__u64 *n = bpf_map_lookup_elem(map, &type);

	/* Per CPU, yet atomic: a program may be preempted by another one on its CPU. */
	return n ? __sync_fetch_and_add(n, 1) : 0;
}

/* Entry 0, which is no type, sums up: one look tells the reader that nothing changed. */
static __always_inline void ksm_count_lost(__u32 type)
{
	ksm_count(&lost, type);
	ksm_count(&lost, 0);
}

static __always_inline bool ksm_filtering(void)
{
	return filter_tgids || filter_cgroup;
}

#define MAX_CGROUP_DEPTH 64

static __noinline bool ksm_in_cgroup(struct css_set *cset)
{
	struct cgroup *cgroup = BPF_CORE_READ(cset, dfl_cgrp);
	__u32 self = bpf_core_field_offset(struct cgroup, self);

	for (int i = 0; i < MAX_CGROUP_DEPTH && cgroup; i++) {
		struct cgroup_subsys_state *parent;

		if (BPF_CORE_READ(cgroup, kn, id) == filter_cgroup)
			return true;
		parent = BPF_CORE_READ(cgroup, self.parent);
		cgroup = parent ? (void *)parent - self : NULL;
	}
	return false;
}

/* Does the filter let this process through? */
static __always_inline bool ksm_passes(struct task_struct *task, __u32 tgid)
{
	if (filter_tgids)
		return bpf_map_lookup_elem(&watched, &tgid);
	if (filter_cgroup)
		return ksm_in_cgroup(BPF_CORE_READ(task, cgroups));
	return true;
}

/*
 * The same for an address space whose owner is known. Asking is dear for cgroups, and a process
 * seldom moves: the answer stands while the set of cgroups is the same.
 */
static __always_inline void ksm_judge_mm(struct mm_state *state, struct task_struct *owner,
					 __u32 tgid)
{
	__u64 cset = 0;

	if (filter_cgroup && !filter_tgids) {
		cset = (__u64)BPF_CORE_READ(owner, cgroups);
		if (cset == state->cset)
			return;
		state->cset = cset;
	}
	if (ksm_passes(owner, tgid))
		state->flags |= MM_PASSED;
	else
		state->flags &= ~MM_PASSED;
}

/*
 * Whether the reader is to be woken: once, until it has read something. It is an interrupt to this
 * CPU, which may cost more than hundreds of events.
 */
static __always_inline bool ksm_wakes(void)
{
	__u64 read;

	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < wake_bytes)
		return false;
	read = bpf_ringbuf_query(&ring, BPF_RB_CONS_POS);
	if (woken_at == read)
		return false;
	woken_at = read;
	return true;
}

/*
 * Emits one event that the filter lets through; fills in cpu and time. The time is taken after the
 * place in the ring, so that the two orders differ by no more than a preemption inside these lines.
 */
static __always_inline void ksm_emit(struct ksm_event *event)
{
	struct ksm_event *slot;
	__u64 before;

	if (!(count_mask & BIT64(event->type)))
		return;
	before = ksm_count(&fired, event->type);
	if (!(event_mask & BIT64(event->type)))
		return;
	slot = bpf_ringbuf_reserve(&ring, sizeof(*slot), 0);
	if (!slot) {
		ksm_count_lost(event->type);
		return;
	}
	*slot = *event;
	slot->cpu = bpf_get_smp_processor_id();
	slot->time = bpf_ktime_get_ns();
	bpf_ringbuf_submit(slot, !(before & wake_mask) && ksm_wakes() ? BPF_RB_FORCE_WAKEUP :
									BPF_RB_NO_WAKEUP);
}

static __always_inline void ksm_emit_comm(struct task_struct *leader, __u32 tgid)
{
	struct ksm_event event = { .type = KSM_EVENT_COMM, .tgid = tgid };
	char comm[16] = {};

	BPF_CORE_READ_STR_INTO(&comm, leader, comm);
	__builtin_memcpy(&event.address, comm, 8);
	__builtin_memcpy(&event.pfn, comm + 8, 8);
	event.n64 = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);
	ksm_emit(&event);
}

/* Remembers the process of a KSM address space and gives its name, once, before its events. */
static __always_inline void ksm_process(struct task_struct *task, __u32 tgid, __u64 mm)
{
	struct tgid_state fresh = { .mm = mm };
	struct tgid_state *state;

	state = bpf_map_lookup_elem(&tgids, &tgid);
	if (!state) {
		bpf_map_update_elem(&tgids, &tgid, &fresh, BPF_NOEXIST);
		state = bpf_map_lookup_elem(&tgids, &tgid);
	}
	if (!state) {
		ksm_count(&fired, KSM_EVENT_COMM);
		ksm_count_lost(KSM_EVENT_COMM);
		return;
	}
	state->mm = mm;
	if (state->announced)
		return;
	state->announced = 1;
	ksm_emit_comm(BPF_CORE_READ(task, group_leader), tgid);
}

/* What was remembered of an address space has to be looked up again. */
static __always_inline void ksm_life_changes(void)
{
	__sync_fetch_and_add(&life, 1);
}

static __always_inline struct mm_state *ksm_mm_new(__u64 mm, __u32 tgid, __u32 flags)
{
	struct mm_state fresh = {
		.tgid = tgid,
		.flags = flags | (ksm_filtering() ? 0 : MM_PASSED),
	};

	fresh.id = __sync_fetch_and_add(&last_mm_id, 1) + 1;
	bpf_map_update_elem(&mms, &mm, &fresh, BPF_ANY);
	ksm_life_changes(); /* it may have pushed another one out */
	return bpf_map_lookup_elem(&mms, &mm);
}

/*
 * Fills tgid and mm of an event about the address space @ptr and announces the process. Tells
 * whether the filter lets the event through.
 *
 * The owner is asked each time: it is NULL once the process is gone, and then what was learned
 * before counts.
 */
static __always_inline bool ksm_fill_mm(struct ksm_event *event, void *ptr)
{
	struct mm_struct *mm = ptr;
	__u64 key = (__u64)ptr;
	struct task_struct *owner = NULL;
	struct mm_state *state;
	__u32 tgid = 0;

	if (!mm)
		return !ksm_filtering();
	if (bpf_core_field_exists(mm->owner))
		owner = BPF_CORE_READ(mm, owner);
	if (owner)
		tgid = BPF_CORE_READ(owner, tgid);
	state = bpf_map_lookup_elem(&mms, &key);
	if (!state)
		state = ksm_mm_new(key, tgid, 0);
	if (!state)
		return !ksm_filtering();
	if (state->flags & MM_FORKING || !tgid)
		tgid = state->tgid;
	else
		state->tgid = tgid;
	event->mm = state->id;
	event->tgid = tgid;
	if (owner && tgid && ksm_filtering())
		ksm_judge_mm(state, owner, tgid);
	if (!(state->flags & MM_PASSED))
		return false;
	if (owner && tgid)
		ksm_process(owner, tgid, key);
	return true;
}

/* Where whose it is makes no difference, it need not be found out. */
static __always_inline bool ksm_only_counted(__u32 type)
{
	return !ksm_filtering() && !(event_mask & BIT64(type));
}

/* Fills in whose it is and emits, unless the filter keeps it back. */
static __always_inline bool ksm_emit_mm(struct ksm_event *event, void *mm)
{
	if (ksm_only_counted(event->type)) {
		ksm_emit(event);
		return true;
	}
	if (!ksm_fill_mm(event, mm))
		return false;
	ksm_emit(event);
	return true;
}

#endif /* KSM_EMIT_BPF_H */
