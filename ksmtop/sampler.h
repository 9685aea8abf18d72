/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where samples come from: the only part of ksmtop that asks the machine anything.
 */
#ifndef KSMTOP_SAMPLER_H
#define KSMTOP_SAMPLER_H

#include "lib/util.h"
#include "model.h"

struct ksmtop_sampler;

/**
 * sampler_open() - choose a backend and set up the hooks
 * @spec: as --backend takes it
 * @err: the one line when it fails
 *
 * Only a missing backend is a failure; hooks and processes that cannot be had end up as notes in
 * every sample.
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
 * sampler_close() - detach and free; accepts NULL
 */
void sampler_close(struct ksmtop_sampler *sampler);

#endif /* KSMTOP_SAMPLER_H */
