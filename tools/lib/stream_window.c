// SPDX-License-Identifier: GPL-2.0
#include "lib/stream_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ksm_window_add(struct ksm_window *w, const struct ksm_event *event)
{
	struct ksm_window_slot *slots;
	size_t capacity;

	if (event->time < w->watermark)
		return -ETIME;
	if (w->count == w->capacity) {
		capacity = w->capacity ? w->capacity * 2 : 1024;
		slots = reallocarray(w->slots, capacity, sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		w->slots = slots;
		w->capacity = capacity;
	}
	if (w->count && event->time < w->slots[w->count - 1].event.time)
		w->unsorted = true;
	w->slots[w->count].event = *event;
	w->slots[w->count++].order = w->arrivals++;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct ksm_window_slot *x = a, *y = b;

	if (x->event.time != y->event.time)
		return x->event.time < y->event.time ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

int ksm_window_flush(struct ksm_window *w, uint64_t until, ksm_event_fn fn, void *ctx)
{
	size_t done = 0;
	int ret = 0;

	/* What one CPU sent is in order. */
	if (w->unsorted)
		qsort(w->slots, w->count, sizeof(*w->slots), by_time);
	w->unsorted = false;
	while (done < w->count && w->slots[done].event.time <= until && !ret) {
		w->watermark = w->slots[done].event.time;
		ret = fn ? fn(ctx, &w->slots[done].event) : 0;
		done++;
	}
	if (!ret && until > w->watermark)
		w->watermark = until;
	w->count -= done;
	if (done && w->count)
		memmove(w->slots, w->slots + done, w->count * sizeof(*w->slots));
	return ret;
}

void ksm_window_free(struct ksm_window *w)
{
	free(w->slots);
	memset(w, 0, sizeof(*w));
}
