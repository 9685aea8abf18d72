/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSMCTL_METRICS_H
#define KSMCTL_METRICS_H

#include "ksmctl/cmd.h"
#include "lib/metrics.h"
#include "lib/stream.h"

/**
 * struct metrics_events - what only somebody who watches all the time can tell
 * @stream: NULL when nobody watches
 * @has_breaks: there is a hook for COW breaks
 * @breaks: seen since the start
 * @latency: of those whose latency could be measured
 */
struct metrics_events {
	struct ksm_stream *stream;
	bool has_breaks;
	uint64_t breaks;
	struct ksm_latency latency;
};

/**
 * metrics_write() - one exposition
 * @m: where
 * @located: files; every engine there is told of, or the one in @spec
 * @spec: --backend, NULL for all
 * @top: processes and cgroups told of by name; the rest is added up
 * @events: see above
 *
 * Return: 0 or negative errno with @err set.
 */
int metrics_write(struct ksm_metrics *m, const struct ksm_backend *located, const char *spec,
		  unsigned int top, const struct metrics_events *events, struct ksm_error *err);

#endif /* KSMCTL_METRICS_H */
