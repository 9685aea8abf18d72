/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events as a JSON trace for ui.perfetto.dev (the "Trace Event Format"): passes and batches of the
 * scanner as slices, a track per process with merges as instants and broken pages as slices as long
 * as the write took, saved memory as a counter.
 */
#ifndef KSMTRACE_PERFETTO_H
#define KSMTRACE_PERFETTO_H

#include <stdint.h>
#include <stdio.h>

#include "ksm_event.h"
#include "lib/trace_file.h"

/* Made-up processes, beyond all real ids: the scanner, and what belongs to no process. */
#define PERFETTO_SCANNER 0x40000000u
#define PERFETTO_HOST 0x40000001u

/* A process's slices that overlap (writes on several CPUs) go to further tracks, so many at most.
 */
#define PERFETTO_LANES 4

struct perfetto;

/**
 * perfetto_new() - begin the file
 * @info: of the recording
 * @page_size: of the recorded machine
 * @to: where to; stays the caller's
 *
 * Return: for perfetto_finish(), NULL without memory.
 */
struct perfetto *perfetto_new(const struct ksm_trace_info *info, int64_t page_size, FILE *to);

/* A ksm_event_fn. Return: 0, or -EPIPE when the file took an error. */
int perfetto_event(void *ctx, const struct ksm_event *event);

/* End the file and free. Return: as perfetto_event(). */
int perfetto_finish(struct perfetto *p);

#endif /* KSMTRACE_PERFETTO_H */
