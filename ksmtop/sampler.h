/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where samples come from: the only part of ksmtop that asks the machine anything.
 */
#ifndef KSMTOP_SAMPLER_H
#define KSMTOP_SAMPLER_H

#include "lib/stream.h"
#include "lib/util.h"
#include "model.h"

struct ksmtop_sampler;

/**
 * sampler_open() - choose a backend and set up the hooks
 * @spec: as --backend takes it
 * @err: the one line when it fails
 *
 * Only a missing backend is a failure; hooks and processes that cannot be had end up as notes in
 * every sample. Hooks are tried beside and counted from when they are there.
 *
 * Return: NULL with @err set.
 */
struct ksmtop_sampler *sampler_open(const char *spec, struct ksm_error *err);

/**
 * sampler_take() - look at the machine
 * @s: filled; @s->procs belongs to the sampler and is valid until the next call
 *
 * A backend that went away (rmmod) is noted, and looked for again at every call.
 */
void sampler_take(struct ksmtop_sampler *sampler, struct ksmtop_sample *s);

/**
 * sampler_ready() - wait until the hooks are set up
 */
void sampler_ready(struct ksmtop_sampler *sampler);

/**
 * sampler_events() - give events one by one from now on
 * @fn: gets them, within sampler_poll(); NULL for no more
 */
void sampler_events(struct ksmtop_sampler *sampler, ksm_event_fn fn, void *ctx);

/**
 * sampler_poll() - give the events that came
 *
 * Return: whether there are any to wait for, so that it should be called again soon.
 */
bool sampler_poll(struct ksmtop_sampler *sampler);

/* Are hooks still being set up? */
bool sampler_opening(const struct ksmtop_sampler *sampler);

/**
 * sampler_all() - rows also for processes that KSM knows nothing of
 */
void sampler_all(struct ksmtop_sampler *sampler, bool all);

/* The backend in use now. */
const struct ksm_backend *sampler_backend(const struct ksmtop_sampler *sampler);

/**
 * sampler_close() - detach and free; accepts NULL
 */
void sampler_close(struct ksmtop_sampler *sampler);

#endif /* KSMTOP_SAMPLER_H */
