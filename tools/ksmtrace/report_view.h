/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A report that has been added up, on its way to a terminal or into JSON.
 */
#ifndef KSMTRACE_REPORT_VIEW_H
#define KSMTRACE_REPORT_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "ksmtrace/report_rows.h"

/* Parts of the text; JSON has them all. */
#define REPORT_SUMMARY 1u
#define REPORT_LATENCY 2u
#define REPORT_CHURN 4u
#define REPORT_SHARING 8u
#define REPORT_PASSES 16u
#define REPORT_BY 32u

/**
 * struct report_view - what is shown, and how
 * @dir: the recording
 * @cut: why the recording ends before its time, NULL when it does not
 * @by: rows of the table that was asked for
 * @parts: REPORT_* bits
 * @top: rows of each table
 * @page_size: of the recorded machine, bytes
 * @utf8: blocks may be drawn
 * @columns: width of the terminal
 * @rows_by: of @rows: @by, or process when @by has a table of its own; from report_view_make()
 * @rows: process, cgroup or guest
 * @sharing: among @rows
 * @frames: KSM pages
 */
struct report_view {
	const char *dir;
	const char *cut;
	const struct ksm_trace_info *info;
	struct report *r;
	enum report_by by;
	unsigned int parts;
	size_t top;
	int64_t page_size;
	bool utf8;
	unsigned int columns;
	enum report_by rows_by;
	struct report_rows rows;
	struct sharing sharing;
	struct report_frame *frames;
	size_t frame_count;
};

/* After report_finish(): fills rows, sharing and frames. Return: 0 or -ENOMEM. */
int report_view_make(struct report_view *v);
void report_view_free(struct report_view *v);

void report_print_text(const struct report_view *v, FILE *to);

/* Return: for json_object_put(). */
struct json_object *report_to_json(const struct report_view *v);

/**
 * report_chart() - draw numbers over time
 * @values: @count of them, negative ones are drawn as 0
 * @height: lines
 * @width: columns
 * @label: what the greatest value is called, at the left
 */
void report_chart(const int64_t *values, unsigned int count, unsigned int width,
		  unsigned int height, const char *label, bool utf8, FILE *to);

/* The hook that an event came from, as the recording keeps it; NULL when it does not. */
const char *report_hook(const struct report_view *v, unsigned int type);

#endif /* KSMTRACE_REPORT_VIEW_H */
