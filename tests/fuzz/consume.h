/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that ksmtrace does with a recording, output thrown away: for recordings that nobody
 * wrote.
 */
#ifndef TESTS_FUZZ_CONSUME_H
#define TESTS_FUZZ_CONSUME_H

#include <stdint.h>

#include "lib/trace_file.h"
#include "lib/util.h"

/**
 * consume() - read, print, add up, report and export
 * @dir: a recording
 * @json: the slow half, too
 * @events: receives how many the reader gave
 * @err: as of the reader
 *
 * Return: as of the reader: 0, -ENODATA (cut short), -EPROTO (damaged), or another negative errno.
 */
int consume(const char *dir, bool json, uint64_t *events, struct ksm_error *err);

/* The same for a recording whose metadata was read before. */
int consume_stream(const char *dir, const struct ksm_trace_info *info, bool json, uint64_t *events,
		   struct ksm_error *err);

#endif /* TESTS_FUZZ_CONSUME_H */
