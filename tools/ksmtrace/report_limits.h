/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a report cannot know: events that its figures are made of and that the recording machine
 * could not see, or not all of them, or that were not asked for. A 0 among the figures is then no
 * answer.
 */
#ifndef KSMTRACE_REPORT_LIMITS_H
#define KSMTRACE_REPORT_LIMITS_H

#include "ksmtrace/report_view.h"

enum report_seen {
	REPORT_SEEN_PARTLY, /* why says what is missing */
	REPORT_SEEN_NOT, /* no hook; why says why */
	REPORT_SEEN_UNASKED, /* left out by --event; no why */
};

/**
 * struct report_limit - one of them
 * @backend: "kernel" or "engine"
 * @type: enum ksm_event_type
 * @why: belongs to the recording, may be NULL
 */
struct report_limit {
	const char *backend;
	unsigned int type;
	enum report_seen seen;
	const char *why;
};

typedef void (*report_limit_fn)(void *ctx, const struct report_limit *limit);

/* Calls @fn for each. None for a recording that does not say where its events came from. */
void report_each_limit(const struct ksm_trace_info *info, report_limit_fn fn, void *ctx);

void report_print_limits(const struct ksm_trace_info *info, FILE *to);

/* Adds one to an array. */
void report_put_limit(struct json_object *to, const struct report_limit *limit);

/* Adds "limits". */
void report_put_limits(const struct ksm_trace_info *info, struct json_object *to);

#endif /* KSMTRACE_REPORT_LIMITS_H */
