/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An event stream that is opened beside: trying the hooks takes longer than a frame may.
 */
#ifndef KSMTOP_HOOKS_H
#define KSMTOP_HOOKS_H

#include "job.h"
#include "lib/stream.h"

/**
 * struct hooks - zeroed at the start
 * @first: run beside before the stream is opened, with @first_arg; may be NULL
 * @stream: open, or NULL
 * @why: why there is none
 * @fresh: the one being opened; belongs to the job
 */
struct hooks {
	struct ksm_stream_opts opts;
	void (*first)(void *arg);
	void *first_arg;
	struct ksm_stream *stream;
	char why[256];
	struct job job;
	struct ksm_stream *fresh;
	char fresh_why[256];
};

/**
 * hooks_open() - begin to open a stream; the one that is open is closed
 */
void hooks_open(struct hooks *h, const struct ksm_stream_opts *opts);

/**
 * hooks_look() - take the stream over when it is open now
 * @wait: until it is
 *
 * Return: true when it just was.
 */
bool hooks_look(struct hooks *h, bool wait);

/**
 * hooks_close() - close, whatever is under way
 * @why: what to say instead
 */
void hooks_close(struct hooks *h, const char *why);

/* Where events of a type come from; NULL when from nowhere, and hooks_why() says why. */
const char *hooks_have(const struct hooks *h, unsigned int type);
const char *hooks_why(const struct hooks *h, unsigned int type);

#endif /* KSMTOP_HOOKS_H */
