/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events waiting to be sorted.
 *
 * Several CPUs feed one ring, so events come almost but not quite in order of time. They wait
 * here until nothing earlier can be under way any more.
 */
#ifndef KSMKIT_STREAM_WINDOW_H
#define KSMKIT_STREAM_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ksm_event.h"
#include "lib/stream.h"

struct ksm_window_slot {
	struct ksm_event event;
	uint64_t order; /* of arrival: equal times keep it */
};

/**
 * struct ksm_window - zeroed at the start
 * @slots: events waiting
 * @count: how many
 * @capacity: allocated
 * @unsorted: some event came after a later one
 * @arrivals: events that ever came
 * @watermark: everything before this time was delivered
 */
struct ksm_window {
	struct ksm_window_slot *slots;
	size_t count;
	size_t capacity;
	bool unsorted;
	uint64_t arrivals;
	uint64_t watermark;
};

/**
 * ksm_window_add() - an event arrives
 * @event: copied
 *
 * Return: 0; -ETIME when it is too late to be sorted in (the caller counts it as lost); -ENOMEM.
 */
int ksm_window_add(struct ksm_window *w, const struct ksm_event *event);

/**
 * ksm_window_flush() - deliver all events up to a time, in order
 * @until: nanoseconds; later events stay, and nothing before it is taken any more
 *
 * When @fn ends the delivery, the events it has not seen stay. Return: 0 or what @fn returned.
 */
int ksm_window_flush(struct ksm_window *w, uint64_t until, ksm_event_fn fn, void *ctx);

/* Releases the slots; accepts a zeroed one. */
void ksm_window_free(struct ksm_window *w);

#endif /* KSMKIT_STREAM_WINDOW_H */
