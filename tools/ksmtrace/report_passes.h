/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Passes of the scanner over all memory, and what came of each.
 */
#ifndef KSMTRACE_REPORT_PASSES_H
#define KSMTRACE_REPORT_PASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ksm_event.h"
#include "ksmtrace/report_hist.h"

#define PASSES_KEPT 256

/**
 * struct pass - one pass
 * @number: from 1
 * @seq: the kernel's number of it
 * @start: CLOCK_MONOTONIC ns
 * @duration: 0 while it goes on
 * @items: rmap items at its end: pages it looked after
 * @merged: pages merged in it, zero pages among them
 * @failed: merges tried in vain
 * @breaks: pages broken meanwhile
 */
struct pass {
	uint64_t number;
	uint64_t seq;
	uint64_t start;
	uint64_t duration;
	uint64_t items;
	uint64_t merged;
	uint64_t failed;
	uint64_t breaks;
};

/**
 * struct passes - all of them; zeroed at the start
 * @count: whole passes
 * @durations: of them
 * @merged: in whole passes
 * @items: looked after in whole passes
 * @kept: the PASSES_KEPT that merged most, in order of time
 * @kept_count: how many
 * @now: the one that goes on
 * @on: there is one that goes on
 */
struct passes {
	uint64_t count;
	struct hist durations;
	uint64_t merged;
	uint64_t items;
	struct pass kept[PASSES_KEPT];
	size_t kept_count;
	struct pass now;
	bool on;
};

void passes_feed(struct passes *p, const struct ksm_event *event);

#endif /* KSMTRACE_REPORT_PASSES_H */
