/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One event as one line, of text or of JSON: what print shows of a recording, and trace live.
 */
#ifndef KSMTRACE_LINE_H
#define KSMTRACE_LINE_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ksm_event.h"

/* How the field "time" is shown. */
enum line_clock {
	LINE_RELATIVE,	/* since the start of the recording */
	LINE_WALL,	/* date and time of day, local */
	LINE_MONOTONIC, /* CLOCK_MONOTONIC, as dmesg and perf show it */
	LINE_CLOCKS
};

#define LINE_FIELDS 12

/**
 * struct line_opts - what a line is to look like; zeroed, it is the default
 * @json: an object per line instead of columns
 * @clock: of the field "time"
 * @fields: columns in order, see line.c
 * @field_count: 0 for the default ones
 */
struct line_opts {
	bool json;
	enum line_clock clock;
	unsigned char fields[LINE_FIELDS];
	unsigned int field_count;
};

/* Options --json, --fields and --time; the input of this argp child is a struct line_opts. */
extern const struct argp line_argp;

struct line;

/**
 * line_new() - start printing
 * @opts: copied
 * @start: what relative times count from, CLOCK_MONOTONIC ns
 * @wall_offset: add to a time for nanoseconds since 1970
 *
 * Return: for line_free(), NULL without memory.
 */
struct line *line_new(const struct line_opts *opts, uint64_t start, int64_t wall_offset);

/* Accepts NULL. */
void line_free(struct line *line);

/**
 * line_learn() - take the process name out of an event that is not to be printed
 *
 * line_print() does so itself.
 */
void line_learn(struct line *line, const struct ksm_event *event);

/**
 * line_print() - print an event
 *
 * Return: 0, -EPIPE when @to took an error.
 */
int line_print(struct line *line, const struct ksm_event *event, FILE *to);

#endif /* KSMTRACE_LINE_H */
