// SPDX-License-Identifier: GPL-2.0
/*
 * The maps and settings that all programs share, and the life of processes: which address space
 * belongs to whom, from fork to exit, so that every event can name its process.
 */
#include "emit.bpf.h"

struct count_map fired SEC(".maps");
struct count_map lost SEC(".maps");
struct ring_map ring SEC(".maps");
struct mm_map mms SEC(".maps");
struct tgid_map tgids SEC(".maps");
struct breaks_map breaks SEC(".maps");
struct watched_map watched SEC(".maps");
struct latency_map latency SEC(".maps");

const volatile __u64 event_mask = 0;
const volatile __u64 count_mask = 0;
const volatile __u32 filter_tgids = 0;
const volatile __u32 follow_children = 0;
const volatile __u64 filter_cgroup = 0;
const volatile __u32 wake_bytes = 0;
const volatile __u32 wake_mask = 0;
const volatile __u32 backends = 0;

__u32 last_mm_id = 0;
__u64 woken_at = ~0ULL; /* nowhere yet */
__u64 life = 0;

static __always_inline void follow(struct task_struct *parent, struct task_struct *child)
{
	__u32 tgid = BPF_CORE_READ(parent, tgid), one = 1;

	if (!bpf_map_lookup_elem(&watched, &tgid))
		return;
	tgid = BPF_CORE_READ(child, tgid);
	bpf_map_update_elem(&watched, &tgid, &one, BPF_ANY);
}

/* A forked child has its own tgid only now: the ENTER that came during the fork is due. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct ksm_event event = { .type = KSM_EVENT_ENTER };
	__u64 mm = (__u64)child->mm;
	struct mm_state *state;
	__u32 tgid;

	if (follow_children)
		follow(parent, child);
	state = bpf_map_lookup_elem(&mms, &mm);
	if (!state || !(state->flags & MM_FORKING))
		return 0;
	ksm_life_changes();
	tgid = child->tgid;
	state->flags = ksm_passes(child, tgid) ? MM_PASSED : 0;
	state->tgid = tgid;
	if (!state->flags)
		return 0;
	ksm_process(child, tgid, mm);
	event.tgid = tgid;
	event.mm = state->id;
	ksm_emit(&event);
	return 0;
}

/* The name changes: it is announced again with the next event. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct tgid_state *state = bpf_map_lookup_elem(&tgids, &tgid);

	if (!state)
		return 0;
	ksm_life_changes();
	state->announced = 0;
	return 0;
}

/* Whether an EXIT is due, and which address space it is of, 0 for one that is not known. */
static __always_inline bool exit_due(struct task_struct *task, struct tgid_state *state, __u32 tgid,
				     __u32 *id)
{
	__u64 key = state->mm;
	struct mm_state *mm;

	if (!key) {
		if (state->exited || !ksm_passes(task, tgid))
			return false;
		/* Where this comes before the hooks of KSM, they are not to tell it again. */
		key = (__u64)task->mm;
		if (key)
			ksm_mm_new(key, tgid, MM_EXITED);
		return true;
	}
	mm = bpf_map_lookup_elem(&mms, &key);
	if (!mm || mm->tgid != tgid || mm->flags & MM_EXITED || !(mm->flags & MM_PASSED))
		return false;
	mm->flags |= MM_EXITED;
	*id = mm->id;
	return true;
}

/* The scanner may have dropped the address space first; then no hook of KSM tells of the exit. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	struct ksm_event event = { .type = KSM_EVENT_EXIT };
	struct tgid_state *state;
	__u32 id = 0;

	event.tgid = task->tgid;
	state = bpf_map_lookup_elem(&tgids, &event.tgid);
	/* Most processes of a machine are none of KSM's, and never were. */
	if ((!state && !filter_tgids) || task->signal->live.counter)
		return 0;
	if (state && exit_due(task, state, event.tgid, &id)) {
		event.mm = id;
		ksm_emit(&event);
	}
	/* The number may be given to somebody else. */
	if (filter_tgids)
		bpf_map_delete_elem(&watched, &event.tgid);
	if (!state)
		return 0;
	ksm_life_changes();
	bpf_map_delete_elem(&breaks, &event.tgid);
	bpf_map_delete_elem(&tgids, &event.tgid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
