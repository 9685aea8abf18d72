// SPDX-License-Identifier: GPL-2.0
#include "replay_state.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cgroup.h"
#include "lib/trace_types.h"
#include "lib/util.h"

bool replay_state_init(struct replay_state *st)
{
	st->procs = calloc(REPLAY_PROCS, sizeof(*st->procs));
	return st->procs;
}

void replay_state_reset(struct replay_state *st)
{
	memset(st->procs, 0, REPLAY_PROCS * sizeof(*st->procs));
	memset(st->engines, 0, sizeof(st->engines));
	memset(&st->latency, 0, sizeof(st->latency));
	st->name = (struct ksm_name){ 0 };
	st->merges = st->breaks = st->lost = st->crowded = 0;
	st->nprocs = 0;
}

void replay_state_free(struct replay_state *st)
{
	free(st->procs);
	st->procs = NULL;
}

unsigned int replay_state_engine(const struct replay_state *st)
{
	const struct ksm_counters_snapshot *e = &st->engines[KSM_BACKEND_ENGINE].counters;
	const struct ksm_counters_snapshot *k = &st->engines[KSM_BACKEND_KERNEL].counters;

	if (!e->present)
		return KSM_BACKEND_KERNEL;
	if (!k->present)
		return KSM_BACKEND_ENGINE;
	return ksm_snapshot_get(e, KSM_ABI_RUN) == KSM_RUN_MERGE ||
			       ksm_snapshot_get(e, KSM_ABI_PAGES_SHARED) > 0 ?
		       KSM_BACKEND_ENGINE :
		       KSM_BACKEND_KERNEL;
}

/* ---- processes ----------------------------------------------------------------------------- */

static size_t home(pid_t pid)
{
	return (uint32_t)pid * 2654435761u & (REPLAY_PROCS - 1);
}

static struct replay_proc *slot(struct replay_state *st, pid_t pid)
{
	size_t i = home(pid);

	while (st->procs[i].pid && st->procs[i].pid != pid)
		i = (i + 1) & (REPLAY_PROCS - 1);
	return &st->procs[i];
}

/* NULL for no process, or when there is no room. */
static struct replay_proc *proc(struct replay_state *st, uint32_t tgid)
{
	struct replay_proc *p;

	if (!tgid)
		return NULL;
	p = slot(st, (pid_t)tgid);
	if (p->pid)
		return p;
	if (st->nprocs >= REPLAY_PROCS / 4 * 3) {
		st->crowded++;
		return NULL;
	}
	st->nprocs++;
	p->pid = (pid_t)tgid;
	return p;
}

/* Take one out; those that had to step aside for it move up. */
static void drop(struct replay_state *st, uint32_t tgid)
{
	struct replay_proc *p = slot(st, (pid_t)tgid);
	size_t i = (size_t)(p - st->procs);

	if (!p->pid)
		return;
	st->nprocs--;
	p->pid = 0;
	for (i = (i + 1) & (REPLAY_PROCS - 1); st->procs[i].pid; i = (i + 1) & (REPLAY_PROCS - 1)) {
		struct replay_proc moved = st->procs[i];

		st->procs[i].pid = 0;
		*slot(st, moved.pid) = moved;
	}
}

static const struct ksmtop_group *group(struct replay_state *st, enum ksmtop_group_kind kind,
					const char *name)
{
	struct ksmtop_group *g;

	for (unsigned int i = 0; i < st->ngroups; i++)
		if (st->groups[i].kind == kind && !strcmp(st->groups[i].name, name))
			return &st->groups[i];
	if (st->ngroups == REPLAY_GROUPS)
		return NULL;
	g = &st->groups[st->ngroups];
	g->index = st->ngroups++;
	g->kind = kind;
	ksm_copy(g->name, sizeof(g->name), name);
	return g;
}

static void take_name(struct replay_state *st, const struct ksm_event *e)
{
	char unit[KSM_CGROUP_PATH_MAX], name[KSM_CGROUP_NAME_MAX];
	struct replay_proc *p = proc(st, e->tgid);
	bool known;

	if (!p || !ksm_name_feed(&st->name, e) || !st->name.text[0])
		return;
	if (st->name.kind == KSM_NAME_GUEST) {
		p->group = group(st, KSMTOP_GROUP_VM, st->name.text);
		p->guest = true;
	} else if (!p->guest) {
		known = ksm_cgroup_name(st->name.text, unit, sizeof(unit), name, sizeof(name));
		p->group = group(st, known ? KSMTOP_GROUP_CONTAINER : KSMTOP_GROUP_OTHER, name);
	}
}

static void take_process(struct replay_proc *p, const struct ksm_event *e)
{
	p->merging = e->n32;
	p->zero = (int64_t)e->address;
	p->items = (int64_t)e->pfn;
	p->mergeable = e->n64;
	p->known = true;
}

static void take_break(struct replay_state *st, struct replay_proc *p, const struct ksm_event *e)
{
	st->breaks++;
	if (e->n64)
		hist_add(&st->latency, e->n64);
	if (!p)
		return;
	p->breaks++;
	p->cow_ns += e->n64;
}

/* Events that change the figures of their process. */
static void take_step(struct replay_proc *p, const struct ksm_event *e)
{
	switch (e->type) {
	case KSM_EVENT_PROCESS:
		take_process(p, e);
		break;
	case KSM_EVENT_COMM:
		ksm_event_comm(e, p->comm);
		break;
	case KSM_EVENT_ENTER:
		p->known = true;
		break;
	case KSM_EVENT_MERGE:
	case KSM_EVENT_NEW_PAGE:
		p->merging++;
		break;
	case KSM_EVENT_ZERO_MERGE:
		p->zero++;
		break;
	case KSM_EVENT_RMAP_REMOVED:
		p->merging -= e->n32 && p->merging > 0;
		break;
	}
}

static void take_counter(struct replay_state *st, const struct ksm_event *e)
{
	struct ksm_counters_snapshot *c;

	if (e->mm > KSM_BACKEND_ENGINE || e->n32 >= KSM_ABI_COUNT)
		return;
	c = &st->engines[e->mm].counters;
	c->time = e->time;
	c->present |= UINT64_C(1) << e->n32;
	c->value[e->n32] = (int64_t)e->n64;
}

void replay_state_take(struct replay_state *st, const struct ksm_event *e)
{
	struct replay_proc *p;

	switch (e->type) {
	case KSM_EVENT_COUNTER:
		take_counter(st, e);
		return;
	case KSM_EVENT_SCANNER:
		if (e->mm <= KSM_BACKEND_ENGINE)
			st->engines[e->mm].scanner_ns = (struct ksmtop_count){ true, e->n64 };
		return;
	case KSM_EVENT_LOST:
		st->lost += e->n64;
		return;
	case KSM_EVENT_NAME:
		take_name(st, e);
		return;
	case KSM_EVENT_EXIT:
		drop(st, e->tgid);
		return;
	}
	st->merges += e->type == KSM_EVENT_MERGE || e->type == KSM_EVENT_NEW_PAGE ||
		      e->type == KSM_EVENT_ZERO_MERGE;
	p = proc(st, e->tgid);
	if (e->type == KSM_EVENT_COW_BREAK)
		take_break(st, p, e);
	else if (p)
		take_step(p, e);
}
