// SPDX-License-Identifier: GPL-2.0
#include "meters.h"
#include "lib/format.h"

#include <stdio.h>
#include <string.h>

static int64_t counter(const struct ksmtop_model *m, unsigned int id)
{
	return ksm_snapshot_get(&m->now.counters, id);
}

/* ---- values -------------------------------------------------------------------------------- */

static void format_rate(struct ksmtop_num n, char *buf, size_t size)
{
	if (n.have)
		ksm_format_rate(buf, size, n.v);
	else
		snprintf(buf, size, "-");
}

static void format_total(struct ksmtop_count c, const char *what, char *buf, size_t size)
{
	char n[KSM_FORMAT_MAX];

	if (c.have)
		snprintf(buf, size, "%s %s", ksm_format_count(n, sizeof(n), (int64_t)c.v), what);
	else
		snprintf(buf, size, "%s", "");
}

static void saved_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	if (m->state == KSMTOP_GONE)
		snprintf(buf, size, "-");
	else
		ksm_format_bytes(buf, size, m->derived.saved_bytes);
}

static void saved_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	char part[KSM_FORMAT_MAX], all[KSM_FORMAT_MAX];
	bool mergeable;
	int64_t whole = model_whole(m, &mergeable);

	if (m->tracked <= 0)
		snprintf(buf, size, "%s", m->state == KSMTOP_GONE ? "" : "no page is tracked");
	else
		snprintf(buf, size, "%s of %s %s",
			 ksm_format_percent(part, sizeof(part), (double)m->derived.saved_pages,
					    (double)whole),
			 ksm_format_bytes(all, sizeof(all), whole * (int64_t)m->now.page_size),
			 mergeable ? "mergeable" : "tracked");
}

static void net_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	if (m->state == KSMTOP_GONE)
		snprintf(buf, size, "-");
	else
		ksm_format_bytes(buf, size, m->derived.profit_bytes);
}

/* What it would take to give it all back. */
static void add_need(const struct ksmtop_model *m, char *buf, size_t size)
{
	char need[KSM_FORMAT_MAX], have[KSM_FORMAT_MAX];
	size_t len = strlen(buf);

	if (m->derived.saved_bytes > 0 && m->now.mem_available.have)
		snprintf(buf + len, size - len, " · to unmerge: %s of %s free",
			 ksm_format_bytes(need, sizeof(need), m->derived.saved_bytes),
			 ksm_format_bytes(have, sizeof(have), (int64_t)m->now.mem_available.v));
}

static void net_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	char metadata[KSM_FORMAT_MAX], pages[KSM_FORMAT_MAX], zero[KSM_FORMAT_MAX];

	snprintf(buf, size, "after %s of metadata",
		 ksm_format_bytes(metadata, sizeof(metadata), m->derived.metadata_bytes));
	add_need(m, buf, size);
	snprintf(buf + strlen(buf), size - strlen(buf), " · %s pages saved",
		 ksm_format_count(pages, sizeof(pages), m->derived.saved_pages));
	if (ksm_snapshot_has(&m->now.counters, KSM_ABI_KSM_ZERO_PAGES))
		snprintf(buf + strlen(buf), size - strlen(buf), " · %s of them zero",
			 ksm_format_count(zero, sizeof(zero), counter(m, KSM_ABI_KSM_ZERO_PAGES)));
}

static void cpu_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	if (m->cpu.have)
		snprintf(buf, size, "%.1f %% CPU", m->cpu.v);
	else
		snprintf(buf, size, "-");
}

static void scan_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	char n[KSM_FORMAT_MAX];

	if (m->scan_rate.have)
		snprintf(buf, size, "%s pages/s", ksm_format_short(n, sizeof(n), m->scan_rate.v));
	else
		snprintf(buf, size, "-");
}

static void cpu_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	char rate[KSM_FORMAT_MAX + 16];

	scan_value(m, rate, sizeof(rate));
	snprintf(buf, size, "scans %s", rate);
}

static void scan_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	char n[KSM_FORMAT_MAX];

	snprintf(buf, size, "%s full scans",
		 ksm_format_count(n, sizeof(n), counter(m, KSM_ABI_FULL_SCANS)));
}

static void merge_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	format_rate(m->merge_rate, buf, size);
}

static void eff_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	if (m->efficiency.have)
		snprintf(buf, size, "%.1f of 1,000", m->efficiency.v);
	else
		snprintf(buf, size, "-");
}

static void eff_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	snprintf(buf, size, "pages looked at were merged");
}

static void merge_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	format_total(m->now.merges, "seen", buf, size);
	if (m->efficiency.have && *buf)
		snprintf(buf + strlen(buf), size - strlen(buf), " · %.1f of 1,000 scanned",
			 m->efficiency.v);
}

static void cow_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	format_rate(m->break_rate, buf, size);
}

static void cow_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	char lost[KSM_FORMAT_MAX];

	format_total(m->now.breaks, "seen", buf, size);
	if (m->now.lost.have && *buf)
		snprintf(buf + strlen(buf), size - strlen(buf), " · %s lost",
			 ksm_format_count(lost, sizeof(lost), (int64_t)m->now.lost.v));
}

/* Passes that are over before one can look at them. */
static bool is_quick(const struct ksmtop_model *m)
{
	return m->pass.per_second.have && m->pass.per_second.v * m->interval >= 1 &&
	       m->pass.whole < m->scan_rate.v * m->interval * 2;
}

static void pass_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	if (m->state == KSMTOP_GONE)
		snprintf(buf, size, "-");
	else if (is_quick(m))
		snprintf(buf, size, "%.1f /s", m->pass.per_second.v);
	else if (m->pass.have && m->pass.whole > 0)
		snprintf(buf, size, "%.0f %%", m->pass.scanned / m->pass.whole * 100);
	else
		snprintf(buf, size, "?");
}

static void pass_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	char n[KSM_FORMAT_MAX], left[KSM_FORMAT_MAX];

	ksm_format_count(n, sizeof(n), counter(m, KSM_ABI_FULL_SCANS) + 1);
	if (m->state != KSMTOP_RUNNING)
		*buf = '\0';
	else if (is_quick(m))
		snprintf(buf, size, "passes, now at pass %s", n);
	else if (!m->pass.have)
		snprintf(buf, size, "of pass %s: told from the next one on", n);
	else if (!m->pass.left.have)
		snprintf(buf, size, "of pass %s", n);
	else
		snprintf(buf, size, "of pass %s, %s left", n,
			 ksm_format_duration(left, sizeof(left), (uint64_t)(m->pass.left.v * 1e9)));
}

static void latency_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	char n[KSM_FORMAT_MAX];

	if (m->p99.have)
		snprintf(buf, size, "p99 %s",
			 ksm_format_duration(n, sizeof(n), (uint64_t)m->p99.v));
	else
		snprintf(buf, size, "-");
}

static void latency_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	char n[KSM_FORMAT_MAX];

	*buf = '\0';
	if (m->p50.have)
		snprintf(buf, size, "p50 %s · of a COW break",
			 ksm_format_duration(n, sizeof(n), (uint64_t)m->p50.v));
}

static void need_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	if (m->state == KSMTOP_GONE)
		snprintf(buf, size, "-");
	else
		ksm_format_bytes(buf, size, m->derived.saved_bytes);
}

static void need_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	char have[KSM_FORMAT_MAX];

	if (m->now.mem_available.have)
		snprintf(buf, size, "needed to give all pages back · %s available%s",
			 ksm_format_bytes(have, sizeof(have), (int64_t)m->now.mem_available.v),
			 m->derived.saved_bytes > (int64_t)m->now.mem_available.v ?
				 " · IT DOES NOT FIT" :
				 "");
	else
		snprintf(buf, size, "needed to give all pages back");
}

static void zero_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	if (ksm_snapshot_has(&m->now.counters, KSM_ABI_KSM_ZERO_PAGES))
		ksm_format_count(buf, size, counter(m, KSM_ABI_KSM_ZERO_PAGES));
	else
		snprintf(buf, size, "-");
}

static void zero_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	snprintf(buf, size, "empty pages merged with the kernel's zero page · use_zero_pages is %s",
		 counter(m, KSM_ABI_USE_ZERO_PAGES) ? "on" : "off");
}

static void lost_value(const struct ksmtop_model *m, char *buf, size_t size)
{
	if (m->now.lost.have)
		ksm_format_count(buf, size, (int64_t)m->now.lost.v);
	else
		snprintf(buf, size, "-");
}

static void lost_detail(const struct ksmtop_model *m, char *buf, size_t size)
{
	snprintf(buf, size, "events that were not counted");
}

const struct ksmtop_meter ksmtop_meters[] = {
	{ .id = "saved",
	  .standard = true,
	  .title = "Saved",
	  .help = "memory saved, of all that is mergeable",
	  .style = ST_GOOD,
	  .value = saved_value,
	  .detail = saved_detail,
	  .draw = meter_draw_saved },
	{ .id = "pages",
	  .standard = true,
	  .title = "Pages",
	  .help = "what the tracked pages are:",
	  .draw = meter_draw_pages },
	{ .id = "net",
	  .standard = true,
	  .title = "Net",
	  .help = "saved, less the engine's own memory",
	  .style = ST_GOOD,
	  .value = net_value,
	  .detail = net_detail,
	  .draw = meter_draw_text },
	{ .id = "pass",
	  .title = "Pass",
	  .help = "progress of the pass, time left",
	  .style = ST_GRAPH_CPU,
	  .value = pass_value,
	  .detail = pass_detail,
	  .standard = true,
	  .draw = meter_draw_pass },
	{ .id = "cpu",
	  .standard = true,
	  .title = "Scanner",
	  .help = "CPU time of the scanner thread",
	  .style = ST_GRAPH_CPU,
	  .value = cpu_value,
	  .detail = cpu_detail,
	  .history = offsetof(struct ksmtop_model, cpu_hist),
	  .least = 1,
	  .draw = meter_draw_graph },
	{ .id = "scan",
	  .extra = true,
	  .standard = true,
	  .title = "Scanned",
	  .help = "pages looked at per second",
	  .style = ST_SHARED,
	  .value = scan_value,
	  .detail = scan_detail,
	  .history = offsetof(struct ksmtop_model, scan_hist),
	  .least = 10,
	  .draw = meter_draw_graph },
	{ .id = "merges",
	  .standard = true,
	  .title = "Merges",
	  .help = "pages merged per second",
	  .style = ST_GRAPH_MERGE,
	  .value = merge_value,
	  .detail = merge_detail,
	  .history = offsetof(struct ksmtop_model, merge_hist),
	  .least = 10,
	  .draw = meter_draw_graph },
	{ .id = "cow",
	  .standard = true,
	  .title = "COW",
	  .help = "merged pages written to, per second",
	  .style = ST_GRAPH_COW,
	  .value = cow_value,
	  .detail = cow_detail,
	  .history = offsetof(struct ksmtop_model, break_hist),
	  .least = 10,
	  .draw = meter_draw_graph },
	{ .id = "latency",
	  .standard = true,
	  .title = "Latency",
	  .help = "how long COW breaks take",
	  .style = ST_GRAPH_COW,
	  .value = latency_value,
	  .detail = latency_detail,
	  .history = offsetof(struct ksmtop_model, p99_hist),
	  .least = 100,
	  .duration = true,
	  .draw = meter_draw_graph },
	{ .id = "efficiency",
	  .title = "Yield",
	  .help = "pages merged per 1,000 looked at",
	  .style = ST_GRAPH_MERGE,
	  .value = eff_value,
	  .detail = eff_detail,
	  .history = offsetof(struct ksmtop_model, eff_hist),
	  .least = 1,
	  .draw = meter_draw_graph },
	{ .id = "unmerge",
	  .title = "Unmerge",
	  .help = "memory needed to give all back",
	  .style = ST_WARN,
	  .value = need_value,
	  .detail = need_detail,
	  .draw = meter_draw_text },
	{ .id = "zero",
	  .title = "Zero",
	  .help = "empty pages merged",
	  .style = ST_VALUE,
	  .value = zero_value,
	  .detail = zero_detail,
	  .draw = meter_draw_text },
	{ .id = "lost",
	  .title = "Lost",
	  .help = "events that were not counted",
	  .style = ST_VALUE,
	  .value = lost_value,
	  .detail = lost_detail,
	  .draw = meter_draw_text },
};

const int ksmtop_nmeters = sizeof(ksmtop_meters) / sizeof(ksmtop_meters[0]);

int meter_find(const char *id)
{
	for (int i = 0; i < ksmtop_nmeters; i++)
		if (!strcmp(ksmtop_meters[i].id, id))
			return i;
	return -1;
}

int meters_standard(int *meters)
{
	int n = 0;

	for (int i = 0; i < ksmtop_nmeters; i++)
		if (ksmtop_meters[i].standard)
			meters[n++] = i;
	return n;
}
