// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_view.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "ksmtrace/report_limits.h"
#include "ksmtrace/report_text.h"
#include "lib/trace_types.h"

#define SECOND UINT64_C(1000000000)
#define CHART_HEIGHT 6

char *report_size(const struct report_view *v, char *buf, size_t size, int64_t pages)
{
	return ksm_format_bytes(buf, size, pages * v->page_size);
}

static void head(const char *label, FILE *to)
{
	fprintf(to, "%-12s", label);
}

static void print_recording(const struct report_view *v, FILE *to)
{
	const char *release = ksm_trace_env_get(v->info, "kernel_release");
	const char *backend = ksm_trace_env_get(v->info, "backend");
	const char *filter = ksm_trace_env_get(v->info, "filter");
	time_t second = (v->r->start + v->info->wall_offset) / SECOND;
	char length[KSM_FORMAT_MAX], date[32] = "?";
	struct tm tm;

	if (localtime_r(&second, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	head("recording", to);
	fprintf(to, "%s from %s, kernel %s, %s\n",
		ksm_format_duration(length, sizeof(length), v->r->end - v->r->start), date,
		release ? release : "?", backend ? backend : "?");
	if (!filter)
		return;
	head("only", to);
	fprintf(to, "%s; counters are of the whole machine\n", filter);
}

static void print_losses_of(const struct report_view *v, unsigned int type, FILE *to)
{
	const uint64_t *by = v->r->types[type].lost_by;
	char lost[KSM_FORMAT_MAX];

	for (unsigned int cause = 0; cause < KSM_LOST_MAX; cause++) {
		if (!by[cause])
			continue;
		head("", to);
		fprintf(to, "lost %s %s: %s\n", ksm_format_count(lost, sizeof(lost), by[cause]),
			ksm_event_name(type), ksm_lost_cause_text(cause));
	}
}

static void print_losses(const struct report_view *v, FILE *to)
{
	char count[KSM_FORMAT_MAX], lost[KSM_FORMAT_MAX];

	head("events", to);
	fprintf(to, "%s, %s lost%s\n", ksm_format_count(count, sizeof(count), v->r->happened),
		v->r->lost ? ksm_format_count(lost, sizeof(lost), v->r->lost) : "none",
		v->r->lost ? ": the figures below lack them" : "");
	for (unsigned int type = 1; type < KSM_EVENT_MAX; type++)
		print_losses_of(v, type, to);
	if (!v->cut)
		return;
	head("", to);
	fprintf(to, "ends early: what came after is not in it\n");
}

static void print_saved(const struct report_view *v, FILE *to)
{
	int64_t first = report_saved_first(v->r), last = report_saved_last(v->r);
	char a[KSM_FORMAT_MAX], b[KSM_FORMAT_MAX], c[KSM_FORMAT_MAX];

	head("saved", to);
	if (!v->r->types[KSM_EVENT_COUNTER].count) {
		fprintf(to, "unknown: the recording has no counters\n");
		return;
	}
	fprintf(to, "%s at the end", report_size(v, b, sizeof(b), last));
	if (first == last)
		fprintf(to, ", as at the start");
	else
		fprintf(to, ", %s at the start: %s%s", report_size(v, a, sizeof(a), first),
			last > first ? "+" : "", report_size(v, c, sizeof(c), last - first));
	fputc('\n', to);
}

static void print_pages(const struct report_view *v, FILE *to)
{
	const struct tally *t = &v->r->total;
	char a[KSM_FORMAT_MAX], b[KSM_FORMAT_MAX], c[KSM_FORMAT_MAX], d[KSM_FORMAT_MAX];
	int64_t net = tally_net(t);

	head("merged", to);
	fprintf(to, "%s pages: %s new KSM pages, %s into those that were there, %s zero\n",
		ksm_format_count(a, sizeof(a), tally_merged(t)),
		ksm_format_count(b, sizeof(b), t->new_pages),
		ksm_format_count(c, sizeof(c), t->merges), ksm_format_count(d, sizeof(d), t->zero));
	head("broken", to);
	fprintf(to, "%s pages: %s by writes, %s unmerged; %s of the merged ones left otherwise\n",
		ksm_format_count(a, sizeof(a), t->breaks + t->unmerged),
		ksm_format_count(b, sizeof(b), t->breaks),
		ksm_format_count(c, sizeof(c), t->unmerged),
		ksm_format_count(d, sizeof(d), t->gone));
	head("net", to);
	fprintf(to, "%s%s pages", net > 0 ? "+" : "", ksm_format_count(a, sizeof(a), net));
	if (t->failed)
		fprintf(to, "; %s merges tried in vain", ksm_format_count(b, sizeof(b), t->failed));
	if (t->swapins)
		fprintf(to, "; %s copies at swap-in", ksm_format_count(c, sizeof(c), t->swapins));
	fputc('\n', to);
}

static void print_latency_line(const char *label, const struct hist *h, FILE *to)
{
	char a[KSM_FORMAT_MAX], b[KSM_FORMAT_MAX], c[KSM_FORMAT_MAX], d[KSM_FORMAT_MAX];
	char e[KSM_FORMAT_MAX];

	if (!h->count)
		return;
	head(label, to);
	fprintf(to, "p50 %s, p90 %s, p99 %s, at most %s; %s in all\n",
		ksm_format_duration(a, sizeof(a), hist_percentile(h, 50)),
		ksm_format_duration(b, sizeof(b), hist_percentile(h, 90)),
		ksm_format_duration(c, sizeof(c), hist_percentile(h, 99)),
		ksm_format_duration(d, sizeof(d), h->max),
		ksm_format_duration(e, sizeof(e), h->sum));
}

static void print_churn_line(const struct report_view *v, FILE *to)
{
	const struct tally *t = &v->r->total;
	char a[KSM_FORMAT_MAX], b[KSM_FORMAT_MAX], c[KSM_FORMAT_MAX];

	if (!t->churned)
		return;
	head("churn", to);
	fprintf(to, "%s of the pages merged were broken again, after %s (median); %s merged anew\n",
		ksm_format_percent(a, sizeof(a), t->churned, t->new_pages + t->merges),
		ksm_format_duration(b, sizeof(b), hist_percentile(&v->r->stay, 50)),
		ksm_format_count(c, sizeof(c), t->again));
}

static void print_scanner(const struct report_view *v, const struct report_host *host,
			  const char *name, FILE *to)
{
	const struct ksm_event *a = &host->scanner_first, *b = &host->scanner_last;
	uint64_t runtime = b->n64 > a->n64 ? b->n64 - a->n64 : 0, time = b->time - a->time;
	uint64_t merged = tally_merged(&v->r->total);
	char text[KSM_FORMAT_MAX], percent[KSM_FORMAT_MAX];

	if (!a->type)
		return;
	head("scanner", to);
	fprintf(to, "%s (pid %u): %s of CPU, %s of one", name, b->n32,
		ksm_format_duration(text, sizeof(text), runtime),
		ksm_format_percent(percent, sizeof(percent), runtime, time));
	if (merged && runtime)
		fprintf(to, ", %s a merged page",
			ksm_format_duration(text, sizeof(text), runtime / merged));
	fputc('\n', to);
	if (b->address < a->address || b->pfn < a->pfn || (!b->address && !b->pfn))
		return;
	head("pressure", to);
	fprintf(to, "some task waited for memory %s of the time",
		ksm_format_percent(text, sizeof(text), (b->address - a->address) * 1e3, time));
	fprintf(to, ", for a CPU %s\n",
		ksm_format_percent(text, sizeof(text), (b->pfn - a->pfn) * 1e3, time));
}

/* From the first look to the last, as far as the looks tell. */
static bool is_stopped(const struct report *r)
{
	bool known = false;

	for (unsigned int i = 0; i < REPORT_BACKENDS; i++) {
		const struct report_host *host = &r->hosts[i];

		if (!ksm_snapshot_has(&host->last, KSM_ABI_RUN))
			continue;
		known = true;
		if (host->first.value[KSM_ABI_RUN] || host->last.value[KSM_ABI_RUN])
			return false;
	}
	return known;
}

static void print_passes_line(const struct report_view *v, FILE *to)
{
	const struct passes *p = &v->r->passes;
	char a[KSM_FORMAT_MAX], b[KSM_FORMAT_MAX], c[KSM_FORMAT_MAX];

	head("passes", to);
	if (!p->count) {
		fprintf(to, "none was completed%s\n",
			is_stopped(v->r) ? ": KSM was stopped (run=0)" : "");
		return;
	}
	fprintf(to, "%s, %s each (%s to ", ksm_format_count(a, sizeof(a), p->count),
		ksm_format_duration(b, sizeof(b), hist_mean(&p->durations)),
		ksm_format_duration(c, sizeof(c), p->durations.min));
	fprintf(to, "%s), %s pages merged in each",
		ksm_format_duration(a, sizeof(a), p->durations.max),
		ksm_format_short(b, sizeof(b), (double)p->merged / p->count));
	if (p->items)
		fprintf(to, ", %s of those looked at",
			ksm_format_percent(c, sizeof(c), p->merged, p->items));
	fputc('\n', to);
}

static void print_chart(const struct report_view *v, FILE *to)
{
	const struct series *s = &v->r->series;
	char label[KSM_FORMAT_MAX], length[KSM_FORMAT_MAX];
	int64_t saved[SERIES_POINTS], max = 0;
	unsigned int width = v->columns > 100 ? 88 : v->columns < 40 ? 28 : v->columns - 12;

	if (!v->r->types[KSM_EVENT_COUNTER].count)
		return;
	for (unsigned int i = 0; i < s->used; i++) {
		saved[i] = s->points[i].saved;
		if (saved[i] > max)
			max = saved[i];
	}
	if (!max)
		return;
	report_size(v, label, sizeof(label), max);
	fputs("\nsaved over time\n", to);
	report_chart(saved, s->used, width, CHART_HEIGHT, label, v->utf8, to);
	ksm_format_duration(length, sizeof(length), v->r->end - v->r->start);
	fprintf(to, "%*s%*s\n", 13, "0 s", (int)width - 2, length);
}

static void print_counters(const struct report_host *host, const char *name, FILE *to)
{
	static const struct ksm_column columns[] = { { "", false },
						     { "START", true },
						     { "END", true } };
	struct ksm_table *table;
	char first[24], last[24];

	if (!host->last.present)
		return;
	table = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	if (!table)
		return;
	fprintf(to, "\n%s at the start and at the end\n", name);
	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		const struct ksm_knob *knob = &ksm_knobs[i];
		const char *const cells[] = { knob->name, first, last };

		if (!ksm_snapshot_has(&host->last, knob->id))
			continue;
		snprintf(first, sizeof(first), "%" PRId64, host->first.value[knob->id]);
		snprintf(last, sizeof(last), "%" PRId64, host->last.value[knob->id]);
		ksm_table_row(table, cells);
	}
	ksm_table_print(table, to, true);
	ksm_table_free(table);
}

static void print_summary(const struct report_view *v, FILE *to)
{
	static const char *const threads[] = { KSM_ABI_KERNEL_THREAD, KSM_ABI_ENGINE_THREAD };

	print_saved(v, to);
	print_pages(v, to);
	print_latency_line("break took", &v->r->latency, to);
	print_latency_line("unmerging", &v->r->unmerge_latency, to);
	print_churn_line(v, to);
	print_passes_line(v, to);
	for (unsigned int i = 0; i < REPORT_BACKENDS; i++)
		print_scanner(v, &v->r->hosts[i], threads[i], to);
	print_chart(v, to);
	if (v->rows.sorted_count) {
		fputc('\n', to);
		report_print_rows(v, to);
	}
	for (unsigned int i = 0; i < REPORT_BACKENDS; i++)
		print_counters(&v->r->hosts[i], ksm_backend_title(i), to);
}

void report_print_text(const struct report_view *v, FILE *to)
{
	print_recording(v, to);
	print_losses(v, to);
	report_print_limits(v->info, to);
	if (v->parts & REPORT_SUMMARY)
		print_summary(v, to);
	if (v->parts & REPORT_LATENCY)
		report_print_latency(v, to);
	if (v->parts & REPORT_CHURN)
		report_print_churn(v, to);
	if (v->parts & REPORT_PASSES)
		report_print_passes(v, to);
	if (v->parts & REPORT_SHARING)
		report_print_sharing(v, to);
	if (v->parts & REPORT_BY) {
		fputc('\n', to);
		if (v->by == REPORT_BY_EVENT)
			report_print_events(v, to);
		else if (v->by == REPORT_BY_PAGE)
			report_print_frames(v, to);
		else
			report_print_rows(v, to);
	}
}
