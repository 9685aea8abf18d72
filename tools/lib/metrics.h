/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Figures in the text that Prometheus reads: its own format, which node_exporter's textfile
 * collector takes, or OpenMetrics.
 */
#ifndef KSMKIT_METRICS_H
#define KSMKIT_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum ksm_metric_type { KSM_METRIC_GAUGE, KSM_METRIC_COUNTER, KSM_METRIC_HISTOGRAM };

/**
 * struct ksm_metrics - where the text goes
 * @to: stream
 * @openmetrics: OpenMetrics 1.0 instead of Prometheus' format 0.0.4
 * @name: of the family that has begun
 */
struct ksm_metrics {
	FILE *to;
	bool openmetrics;
	const char *name;
};

/**
 * ksm_metrics_family() - begin a family; all its samples follow before the next one begins
 * @name: with "_total" for a counter; must stay until the next family
 * @help: one line
 */
void ksm_metrics_family(struct ksm_metrics *m, const char *name, enum ksm_metric_type type,
			const char *help);

/**
 * ksm_metrics_sample() - one value of the family
 * @suffix: "" or, in a histogram, "_bucket", "_sum", "_count"
 * @labels: name, value, name, value, ..., NULL; may be NULL
 *
 * Values of labels may hold anything: what is no UTF-8 is replaced, the rest escaped.
 */
void ksm_metrics_sample(struct ksm_metrics *m, const char *suffix, const char *const *labels,
			double value);

/* End of the text. Return: 0, or -EIO when it could not be written. */
int ksm_metrics_end(struct ksm_metrics *m);

/* Upper bounds of latency buckets, and one for what is longer. */
#define KSM_LATENCY_BUCKETS 15

/**
 * struct ksm_latency - a histogram of durations
 * @count: by bucket, not cumulative
 * @sum_ns: of all
 */
struct ksm_latency {
	uint64_t count[KSM_LATENCY_BUCKETS + 1];
	uint64_t sum_ns;
};

void ksm_latency_add(struct ksm_latency *h, uint64_t ns);

/* All samples of a histogram family that has begun; in seconds. */
void ksm_metrics_latency(struct ksm_metrics *m, const struct ksm_latency *h);

#endif /* KSMKIT_METRICS_H */
