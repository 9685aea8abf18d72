/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fields of an event say in its type, one by one.
 */
#ifndef KSMTRACE_LINE_DETAIL_H
#define KSMTRACE_LINE_DETAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "ksm_event.h"

/**
 * struct line_detail - one field
 * @label: what it is
 * @word: the value as a word, NULL when it is a number
 * @value: the number
 * @hex: shown in base 16
 * @negative: @value may be negative (int64_t)
 */
struct line_detail {
	const char *label;
	const char *word;
	uint64_t value;
	bool hex;
	bool negative;
};

typedef void (*line_detail_fn)(void *ctx, const struct line_detail *detail);

/* Calls @fn for each field that the event's type has; @detail is valid during the call only. */
void line_each_detail(const struct ksm_event *event, line_detail_fn fn, void *ctx);

#endif /* KSMTRACE_LINE_DETAIL_H */
