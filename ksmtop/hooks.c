// SPDX-License-Identifier: GPL-2.0
#include "hooks.h"

#include <malloc.h>
#include <stddef.h>

#include "lib/util.h"

static void open_stream(void *arg)
{
	struct hooks *h = arg;

	if (h->first)
		h->first(h->first_arg);
	h->fresh_why[0] = '\0';
	if (ksm_stream_open(&h->opts, &h->fresh, h->fresh_why, sizeof(h->fresh_why)))
		h->fresh = NULL;
}

void hooks_open(struct hooks *h, const struct ksm_stream_opts *opts)
{
	hooks_close(h, "hooks are being set up");
	h->opts = *opts;
	h->fresh = NULL;
	if (!job_start(&h->job, open_stream, h))
		ksm_copy(h->why, sizeof(h->why), "no thread to open them in");
}

bool hooks_look(struct hooks *h, bool wait)
{
	if (wait && h->job.running)
		job_wait(&h->job);
	else if (!job_over(&h->job))
		return false;
	if (!h->fresh && !h->fresh_why[0])
		return false;
	h->stream = h->fresh;
	h->fresh = NULL;
	/* The kernel's whole BTF was read to open it: give that back. */
	malloc_trim(0);
	ksm_copy(h->why, sizeof(h->why), h->fresh_why);
	return true;
}

void hooks_close(struct hooks *h, const char *why)
{
	job_wait(&h->job);
	ksm_stream_close(h->fresh);
	ksm_stream_close(h->stream);
	h->fresh = h->stream = NULL;
	ksm_copy(h->why, sizeof(h->why), why);
}

const char *hooks_have(const struct hooks *h, unsigned int type)
{
	const struct ksm_hook *hook = h->stream ? ksm_stream_hook(h->stream, type) : NULL;

	return hook ? hook->hook : NULL;
}

const char *hooks_why(const struct hooks *h, unsigned int type)
{
	const struct ksm_hook *hook = h->stream ? ksm_stream_hook(h->stream, type) : NULL;

	if (hook && hook->why)
		return hook->why;
	return h->why[0] ? h->why : "no hook for them in this kernel";
}
