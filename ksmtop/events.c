// SPDX-License-Identifier: GPL-2.0
#include "events.h"

#include <string.h>

#include "lib/latency.h"
#include "lib/trace_types.h"

void hist_add(struct ksmtop_hist *h, uint64_t ns)
{
	h->n[ksm_latency_slot(ns)]++;
}

void hist_minus(struct ksmtop_hist *to, const struct ksmtop_hist *a, const struct ksmtop_hist *b)
{
	for (int i = 0; i < KSM_LATENCY_SLOTS; i++)
		to->n[i] = a->n[i] - (a->n[i] >= b->n[i] ? b->n[i] : 0);
}

static struct ksmtop_comm *comm_of(const struct ksmtop_events *ev, uint32_t tgid)
{
	return (struct ksmtop_comm *)&ev->comms[tgid * 2654435761u % KSMTOP_COMMS];
}

static void take_break(struct ksmtop_events *ev, const struct ksm_event *event)
{
	if (!event->n64) /* a hook that cannot measure it */
		return;
	hist_add(&ev->latency, event->n64);
	if (ev->watch && event->tgid == (uint32_t)ev->watch)
		hist_add(&ev->watch_latency, event->n64);
}

int events_take(void *ctx, const struct ksm_event *event)
{
	struct ksmtop_events *ev = ctx;

	switch (event->type) {
	case KSM_EVENT_COMM:
		comm_of(ev, event->tgid)->tgid = event->tgid;
		ksm_event_comm(event, comm_of(ev, event->tgid)->name);
		return 0;
	case KSM_EVENT_COUNTER:
	case KSM_EVENT_PROCESS:
	case KSM_EVENT_SCANNER:
	case KSM_EVENT_NAME:
	case KSM_EVENT_BATCH_SLEEP:
	case KSM_EVENT_BATCH_WAKE:
		return 0;
	case KSM_EVENT_COW_BREAK:
		take_break(ev, event);
		break;
	case KSM_EVENT_LOST:
		ev->lost += event->n64;
		break;
	}
	ev->ring[ev->total++ % KSMTOP_EVENTS] = *event;
	return 0;
}

uint64_t events_oldest(const struct ksmtop_events *ev)
{
	return ev->total > KSMTOP_EVENTS ? ev->total - KSMTOP_EVENTS : 0;
}

const struct ksm_event *events_get(const struct ksmtop_events *ev, uint64_t i)
{
	return &ev->ring[i % KSMTOP_EVENTS];
}

const char *events_comm(const struct ksmtop_events *ev, uint32_t tgid)
{
	const struct ksmtop_comm *c = comm_of(ev, tgid);

	return c->tgid == tgid && c->name[0] ? c->name : NULL;
}

void events_watch(struct ksmtop_events *ev, pid_t pid)
{
	if (ev->watch == pid)
		return;
	ev->watch = pid;
	memset(&ev->watch_latency, 0, sizeof(ev->watch_latency));
}
