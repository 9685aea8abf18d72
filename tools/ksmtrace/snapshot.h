/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What KSM holds, as events: a host may have been merged long before anyone looked.
 */
#ifndef KSMTRACE_SNAPSHOT_H
#define KSMTRACE_SNAPSHOT_H

#include "ksmtrace/target.h"
#include "lib/backend.h"
#include "lib/stream.h"

/**
 * ksm_snapshot_counters() - all counters and knobs, the scanner's runtime and memory pressure
 * @stream: receives COUNTER and SCANNER events
 * @backend: whose
 * @err: the one line when it fails
 *
 * What this machine does not have is left out. Return: 0 or negative errno.
 */
int ksm_snapshot_counters(struct ksm_stream *stream, struct ksm_backend *backend,
			  struct ksm_error *err);

/**
 * ksm_snapshot_processes() - every process that KSM knows and that is watched
 * @target: its stream receives COMM and PROCESS events
 *
 * Return: 0 or negative errno.
 */
int ksm_snapshot_processes(struct target *target);

#endif /* KSMTRACE_SNAPSHOT_H */
