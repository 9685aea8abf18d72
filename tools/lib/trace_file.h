/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Traces on disk: a CTF 1.8 directory with "metadata" and one stream file, described in
 * docs/trace-format.md. The writer takes events in order of time; the reader gives them back the
 * same way and believes nothing it has not checked.
 */
#ifndef KSMKIT_TRACE_FILE_H
#define KSMKIT_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ksm_event.h"
#include "lib/stream.h"
#include "lib/util.h"

#define KSM_TRACE_DEFAULT "ksmtrace.data"
#define KSM_TRACE_METADATA "metadata"
#define KSM_TRACE_STREAM "stream_0"

#define KSM_TRACE_ENV_MAX 96

/**
 * struct ksm_trace_env - one fact about the recording, such as kernel_release
 * @key: an identifier
 * @value: printable text; quotes, backslashes and control bytes are stored as '?'
 */
struct ksm_trace_env {
	char key[48];
	char value[320];
};

struct ksm_trace_writer;

/**
 * ksm_trace_create() - start a trace
 * @dir: made with mode 0700; a trace that is there already becomes DIR.old, and a trace at
 *	DIR.old goes away; anything else there is refused
 * @start: CLOCK_MONOTONIC before the first event can have happened, ns
 * @env: facts to keep
 * @env_count: at most KSM_TRACE_ENV_MAX
 * @writer: for ksm_trace_finish()
 * @err: the one line when it fails
 *
 * Return: 0 or negative errno.
 */
int ksm_trace_create(const char *dir, uint64_t start, const struct ksm_trace_env *env,
		     size_t env_count, struct ksm_trace_writer **writer, struct ksm_error *err);

/**
 * ksm_trace_write() - append one event
 * @event: not earlier than the one before; a LOST event also counts for events_discarded
 * @err: the one line when it fails
 *
 * Return: 0; -EINVAL for an event out of order; negative errno when the disk failed. After a
 * failure the file ends with its last whole packet, and every further call fails the same way.
 */
int ksm_trace_write(struct ksm_trace_writer *w, const struct ksm_event *event,
		    struct ksm_error *err);

/**
 * ksm_trace_flush() - write what is buffered as a packet, so that it survives a crash of the tool
 *
 * Return: as ksm_trace_write().
 */
int ksm_trace_flush(struct ksm_trace_writer *w, struct ksm_error *err);

/**
 * ksm_trace_finish() - flush, close and free
 * @w: may be NULL
 *
 * Return: as ksm_trace_write().
 */
int ksm_trace_finish(struct ksm_trace_writer *w, struct ksm_error *err);

/* Events written so far. */
uint64_t ksm_trace_written(const struct ksm_trace_writer *w);

/**
 * ksm_trace_shift() - make room for the next part of a recording
 * @dir: trace that is finished; becomes DIR.1, the DIR.1 there is becomes DIR.2, and so on
 * @parts: how many are kept: DIR.@parts is removed
 * @err: the one line when it fails
 *
 * Return: 0 or negative errno.
 */
int ksm_trace_shift(const char *dir, unsigned int parts, struct ksm_error *err);

/**
 * struct ksm_trace_info - what a trace says of itself
 * @env: facts kept at the recording
 * @env_count: how many
 * @wall_offset: add to an event's time for nanoseconds since 1970
 * @start: when the recording began, CLOCK_MONOTONIC ns; 0 when not even that can be read
 * @known: bit (1 << type) for every type that the trace declares
 * @uuid: of the trace
 */
struct ksm_trace_info {
	struct ksm_trace_env env[KSM_TRACE_ENV_MAX];
	size_t env_count;
	int64_t wall_offset;
	uint64_t start;
	uint64_t known;
	unsigned char uuid[16];
};

/**
 * ksm_trace_read_info() - read and check the metadata
 * @dir: a trace
 * @info: filled
 * @err: the one line: what is wrong, where, and what to do
 *
 * Return: 0; -EPROTO when this is no trace of ours; negative errno.
 */
int ksm_trace_read_info(const char *dir, struct ksm_trace_info *info, struct ksm_error *err);

/* The value of a fact, NULL when it was not kept. */
const char *ksm_trace_env_get(const struct ksm_trace_info *info, const char *key);

/* Bytes of a page on the recorded machine; on this one where it was not kept. */
int64_t ksm_trace_page_size(const struct ksm_trace_info *info);

/**
 * ksm_trace_read() - give every event of a trace, in order
 * @dir: a trace
 * @info: from ksm_trace_read_info()
 * @fn: takes an event; a non-zero return ends the reading
 * @ctx: handed to @fn
 * @err: the one line when the file is damaged or cut short
 *
 * A recording that was killed, or copied while it ran, is cut short: all its whole packets have
 * been given when this returns, and so have the events before a damage.
 *
 * Return: 0; what @fn returned; -ENODATA for a trace that is cut short; -EPROTO for a damaged one;
 * negative errno.
 */
int ksm_trace_read(const char *dir, const struct ksm_trace_info *info, ksm_event_fn fn, void *ctx,
		   struct ksm_error *err);

/**
 * ksm_trace_verdict() - tell how the reading ended
 * @ret: of ksm_trace_read_info() or ksm_trace_read()
 * @err: from there
 *
 * A trace that is cut short is worth a warning: what there is of it is good.
 *
 * Return: exit status.
 */
int ksm_trace_verdict(int ret, const struct ksm_error *err);

#endif /* KSMKIT_TRACE_FILE_H */
