/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of a report as text, for report_print_text() to put together.
 */
#ifndef KSMTRACE_REPORT_TEXT_H
#define KSMTRACE_REPORT_TEXT_H

#include "ksmtrace/report_view.h"
#include "lib/format.h"

/* Pages of the recorded machine as bytes. */
char *report_size(const struct report_view *v, char *buf, size_t size, int64_t pages);

void report_print_rows(const struct report_view *v, FILE *to);
void report_print_events(const struct report_view *v, FILE *to);
void report_print_frames(const struct report_view *v, FILE *to);
void report_print_latency(const struct report_view *v, FILE *to);
void report_print_churn(const struct report_view *v, FILE *to);
void report_print_passes(const struct report_view *v, FILE *to);
void report_print_sharing(const struct report_view *v, FILE *to);

#endif /* KSMTRACE_REPORT_TEXT_H */
