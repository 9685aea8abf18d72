// SPDX-License-Identifier: GPL-2.0
#include "lib/metrics.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/format.h"
#include "lib/util.h"

static const uint64_t bounds[KSM_LATENCY_BUCKETS] = {
	1000,	2000,	 5000,	  10000,   20000,    50000,	100000,	    200000,
	500000, 1000000, 2000000, 5000000, 10000000, 100000000, 1000000000,
};

void ksm_metrics_family(struct ksm_metrics *m, const char *name, enum ksm_metric_type type,
			const char *help)
{
	static const char *const types[] = { "gauge", "counter", "histogram" };
	size_t len = strlen(name);

	/* OpenMetrics names the family without the suffix that its samples have. */
	if (m->openmetrics && type == KSM_METRIC_COUNTER && len > 6 &&
	    !strcmp(name + len - 6, "_total"))
		len -= 6;
	fprintf(m->to, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, name, help, (int)len, name,
		types[type]);
	m->name = name;
}

static void put_label(FILE *to, const char *text)
{
	char safe[512];

	for (const char *c = ksm_format_safe(safe, sizeof(safe), text); *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', to);
		fputc(*c, to);
	}
}

/* Whole numbers as such: counters of bytes and pages lose nothing. */
static void put_value(FILE *to, double value)
{
	if (value == floor(value) && fabs(value) < 9e15)
		fprintf(to, "%.0f", value);
	else
		fprintf(to, "%.9g", value);
}

void ksm_metrics_sample(struct ksm_metrics *m, const char *suffix, const char *const *labels,
			double value)
{
	fprintf(m->to, "%s%s", m->name, suffix);
	for (size_t i = 0; labels && labels[i]; i += 2) {
		fprintf(m->to, "%s%s=\"", i ? "," : "{", labels[i]);
		put_label(m->to, labels[i + 1]);
		fputc('"', m->to);
	}
	fputs(labels && labels[0] ? "} " : " ", m->to);
	put_value(m->to, value);
	fputc('\n', m->to);
}

int ksm_metrics_end(struct ksm_metrics *m)
{
	if (m->openmetrics)
		fputs("# EOF\n", m->to);
	return fflush(m->to) || ferror(m->to) ? -EIO : 0;
}

void ksm_latency_add(struct ksm_latency *h, uint64_t ns)
{
	size_t i = 0;

	while (i < KSM_LATENCY_BUCKETS && ns > bounds[i])
		i++;
	h->count[i]++;
	h->sum_ns += ns;
}

void ksm_metrics_latency(struct ksm_metrics *m, const struct ksm_latency *h)
{
	uint64_t sum = 0;
	char bound[32];

	for (size_t i = 0; i <= KSM_LATENCY_BUCKETS; i++) {
		sum += h->count[i];
		if (i < KSM_LATENCY_BUCKETS)
			snprintf(bound, sizeof(bound), "%g", (double)bounds[i] / 1e9);
		ksm_metrics_sample(m, "_bucket",
				   (const char *const[]){
					   "le", i < KSM_LATENCY_BUCKETS ? bound : "+Inf", NULL },
				   (double)sum);
	}
	ksm_metrics_sample(m, "_sum", NULL, (double)h->sum_ns / 1e9);
	ksm_metrics_sample(m, "_count", NULL, (double)sum);
}
