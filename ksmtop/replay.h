/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recording in the machine's place: events up to a moment, and the sample that they add up to.
 * However long the recording, memory is bounded.
 */
#ifndef KSMTOP_REPLAY_H
#define KSMTOP_REPLAY_H

#include "lib/stream.h"
#include "lib/util.h"
#include "model.h"

struct replay;

/**
 * replay_open() - open a recording of ksmtrace
 * @dir: its directory
 * @err: the one line when it fails
 *
 * Return: NULL with @err set.
 */
struct replay *replay_open(const char *dir, struct ksm_error *err);

/* Accepts NULL. */
void replay_close(struct replay *r);

/* When it begins and ends, CLOCK_MONOTONIC of the recording, ns. */
uint64_t replay_from(const struct replay *r);
uint64_t replay_to(const struct replay *r);

/**
 * replay_forward() - take the events up to a moment
 * @until: ns; not before what was asked for last
 * @fn: gets each, as ksm_stream_poll() would give it
 *
 * Return: false when there are no more events.
 */
bool replay_forward(struct replay *r, uint64_t until, ksm_event_fn fn, void *ctx);

/**
 * replay_rewind() - from the beginning again
 */
void replay_rewind(struct replay *r);

/**
 * replay_sample() - what the host was like at a moment
 * @at: as last given to replay_forward()
 * @s: filled; @s->procs belongs to the replay and is valid until the next call
 */
void replay_sample(struct replay *r, uint64_t at, struct ksmtop_sample *s);

#endif /* KSMTOP_REPLAY_H */
