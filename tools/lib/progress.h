/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A progress bar on stderr: drawn on a terminal only, so pipes and logs stay clean.
 */
#ifndef KSMKIT_PROGRESS_H
#define KSMKIT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct ksm_progress - one bar
 * @what: what is done: "unmerging"
 * @shown: stderr is a terminal
 * @start: CLOCK_MONOTONIC of the beginning, ns
 * @drawn: when it was drawn last, ns
 */
struct ksm_progress {
	const char *what;
	bool shown;
	uint64_t start;
	uint64_t drawn;
};

/**
 * ksm_progress_start() - prepare a bar
 * @p: filled
 * @what: a verb in its -ing form; must outlive the bar
 */
void ksm_progress_start(struct ksm_progress *p, const char *what);

/**
 * ksm_progress_line() - the text of a bar: fill, percent, rate, time left
 * @done: bytes done; more than @total counts as all
 * @total: bytes in all
 * @elapsed: since the beginning, ns
 *
 * Return: @buf.
 */
char *ksm_progress_line(char *buf, size_t size, const char *what, uint64_t done, uint64_t total,
			uint64_t elapsed);

/* Draw, at most ten times a second. */
void ksm_progress_update(struct ksm_progress *p, uint64_t done, uint64_t total);

/* Take the bar away. */
void ksm_progress_end(struct ksm_progress *p);

#endif /* KSMKIT_PROGRESS_H */
