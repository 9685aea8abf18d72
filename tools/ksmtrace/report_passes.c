// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_passes.h"

#include <string.h>

static void keep(struct passes *p)
{
	size_t least = 0;

	if (p->kept_count == PASSES_KEPT) {
		for (size_t i = 1; i < PASSES_KEPT; i++)
			if (p->kept[i].merged < p->kept[least].merged)
				least = i;
		if (p->kept[least].merged >= p->now.merged)
			return;
		memmove(&p->kept[least], &p->kept[least + 1],
			(PASSES_KEPT - least - 1) * sizeof(p->kept[0]));
		p->kept_count--;
	}
	p->kept[p->kept_count++] = p->now;
}

static void end_pass(struct passes *p, const struct ksm_event *event)
{
	if (!p->on)
		return;
	p->now.duration = event->time - p->now.start;
	p->now.items = event->n64;
	p->now.number = ++p->count;
	hist_add(&p->durations, p->now.duration, 1);
	p->merged += p->now.merged;
	p->items += p->now.items;
	keep(p);
	p->on = false;
}

/* Some hooks tell only when a pass starts: then that ends the one before. */
static void start_pass(struct passes *p, const struct ksm_event *event)
{
	end_pass(p, event);
	p->now = (struct pass){ .seq = event->n32, .start = event->time };
	p->on = true;
}

void passes_feed(struct passes *p, const struct ksm_event *event)
{
	switch (event->type) {
	case KSM_EVENT_SCAN_START:
		start_pass(p, event);
		break;
	case KSM_EVENT_SCAN_STOP:
		end_pass(p, event);
		break;
	case KSM_EVENT_MERGE:
	case KSM_EVENT_NEW_PAGE:
	case KSM_EVENT_ZERO_MERGE:
		p->now.merged++;
		break;
	case KSM_EVENT_MERGE_FAILED:
		p->now.failed++;
		break;
	case KSM_EVENT_COW_BREAK:
		p->now.breaks++;
		break;
	default:
		break;
	}
}
