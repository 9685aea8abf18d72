// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_procs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ksmtrace/report_sample.h"
#include "lib/trace_types.h"

#define TGID_SLOTS (2 * PROCS_MAX)
#define TEXT_SLOTS (2 * STRINGS_MAX)

void tally_add(struct tally *to, const struct tally *from)
{
	to->before += from->before;
	to->new_pages += from->new_pages;
	to->merges += from->merges;
	to->zero += from->zero;
	to->failed += from->failed;
	to->breaks += from->breaks;
	to->unmerged += from->unmerged;
	to->gone += from->gone;
	to->churned += from->churned;
	to->again += from->again;
	to->stayed += from->stayed;
	to->timed += from->timed;
	to->latency += from->latency;
	if (from->latency_max > to->latency_max)
		to->latency_max = from->latency_max;
	to->swapins += from->swapins;
}

int procs_init(struct procs *p)
{
	p->capacity = PROCS_MAX < 64 ? PROCS_MAX : 64;
	p->all = calloc(p->capacity, sizeof(*p->all));
	p->by_tgid = calloc(TGID_SLOTS, sizeof(*p->by_tgid));
	p->strings = calloc(STRINGS_MAX, sizeof(*p->strings));
	p->by_text = calloc(TEXT_SLOTS, sizeof(*p->by_text));
	p->count = p->string_count = 1;
	return p->all && p->by_tgid && p->strings && p->by_text ? 0 : -ENOMEM;
}

void procs_free(struct procs *p)
{
	for (size_t i = 1; i < p->string_count && p->strings; i++)
		free(p->strings[i]);
	free(p->all);
	free(p->by_tgid);
	free(p->strings);
	free(p->by_text);
	memset(p, 0, sizeof(*p));
}

/* The place of a process in the index; 0 there when it is new. */
static uint32_t *slot_of(struct procs *p, uint32_t tgid)
{
	size_t at = sample_mix(tgid) & (TGID_SLOTS - 1);

	while (p->by_tgid[at] && p->all[p->by_tgid[at]].tgid != tgid)
		at = (at + 1) & (TGID_SLOTS - 1);
	return &p->by_tgid[at];
}

/* Return: its number, 0 when there is no room. */
static uint32_t add(struct procs *p, uint32_t tgid)
{
	struct proc *more;

	if (p->count == p->capacity && p->capacity < PROCS_MAX) {
		more = reallocarray(p->all, p->capacity * 2, sizeof(*more));
		if (more) {
			p->all = more;
			p->capacity *= 2;
		}
	}
	if (p->count == p->capacity)
		return 0;
	p->all[p->count] = (struct proc){ .tgid = tgid };
	return p->count++;
}

uint32_t procs_of(struct procs *p, const struct ksm_event *event)
{
	uint32_t *slot;

	if (!event->tgid)
		return 0;
	slot = slot_of(p, event->tgid);
	if (!*slot)
		*slot = add(p, event->tgid);
	return *slot;
}

/* A name is told of a new process, or of a known one that changed its name. */
static void learn_comm(struct procs *p, const struct ksm_event *event)
{
	uint32_t *slot = slot_of(p, event->tgid), number;
	struct proc *proc;

	if (*slot && p->all[*slot].exited) {
		number = add(p, event->tgid);
		if (number)
			*slot = number;
	} else {
		number = procs_of(p, event);
	}
	if (!number) {
		p->beyond++;
		return;
	}
	proc = &p->all[number];
	ksm_event_comm(event, proc->comm);
	if (event->n64)
		proc->cgroup_id = event->n64;
}

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 1;

	for (; *text; text++)
		hash = sample_mix(hash ^ (unsigned char)*text);
	return hash;
}

uint32_t procs_intern(struct procs *p, const char *text)
{
	size_t at = hash_text(text) & (TEXT_SLOTS - 1);

	while (p->by_text[at] && strcmp(p->strings[p->by_text[at]], text))
		at = (at + 1) & (TEXT_SLOTS - 1);
	if (p->by_text[at])
		return p->by_text[at];
	if (p->string_count == STRINGS_MAX)
		return 0;
	p->strings[p->string_count] = strdup(text);
	if (!p->strings[p->string_count])
		return 0;
	p->by_text[at] = p->string_count;
	return p->string_count++;
}

static void learn_name(struct procs *p, const struct ksm_event *event)
{
	uint32_t number;

	if (!ksm_name_feed(&p->name, event))
		return;
	number = procs_of(p, event);
	if (!number)
		return;
	if (p->name.kind == KSM_NAME_GUEST)
		p->all[number].guest = procs_intern(p, p->name.text);
	else if (p->name.kind == KSM_NAME_CGROUP)
		p->all[number].cgroup = procs_intern(p, p->name.text);
}

/* The hooks were at work before the snapshot was taken: what they told of is in it. */
static void learn_pages(struct procs *p, const struct ksm_event *event)
{
	uint32_t number = procs_of(p, event);
	struct tally *t = &p->all[number].tally;
	int64_t before = (int64_t)(event->n32 + event->address) - tally_net(t);

	t->before = before > 0 ? before : 0;
}

static void learn_enter(struct procs *p, const struct ksm_event *event)
{
	/* Separate: a new process may move all the others. */
	uint32_t number = procs_of(p, event);

	p->all[number].exited = false;
}

static void learn_exit(struct procs *p, const struct ksm_event *event)
{
	uint32_t number = procs_of(p, event);
	struct proc *proc = &p->all[number];

	/* Those beyond PROCS_MAX go on when one of them ends. */
	if (!number)
		return;
	proc->exited = true;
	proc->left = event->time;
	proc->tally.gone += proc->tally.zero - proc->zero_left;
	proc->zero_left = proc->tally.zero;
}

void procs_feed(struct procs *p, const struct ksm_event *event)
{
	if (!event->tgid)
		return;
	switch (event->type) {
	case KSM_EVENT_COMM:
		learn_comm(p, event);
		break;
	case KSM_EVENT_NAME:
		learn_name(p, event);
		break;
	case KSM_EVENT_PROCESS:
		learn_pages(p, event);
		break;
	case KSM_EVENT_EXIT:
		learn_exit(p, event);
		break;
	case KSM_EVENT_ENTER:
		/* A new program in the same process. */
		learn_enter(p, event);
		break;
	default:
		break;
	}
}
