// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/latency.h"
#include "lib/trace_types.h"

#define SECOND UINT64_C(1000000000)
#define CELL 40

/* Cells of a row, filled from left to right. */
struct cells {
	char text[KSM_TABLE_COLUMNS][KSM_FORMAT_MAX];
	const char *at[KSM_TABLE_COLUMNS];
	unsigned int used;
};

static void put_text(struct cells *c, const char *text)
{
	c->at[c->used++] = text;
}

static void put_count(struct cells *c, int64_t count)
{
	put_text(c, ksm_format_count(c->text[c->used], KSM_FORMAT_MAX, count));
}

static void put_ns(struct cells *c, uint64_t ns)
{
	put_text(c, ns ? ksm_format_duration(c->text[c->used], KSM_FORMAT_MAX, ns) : "-");
}

static void put_percent(struct cells *c, double part, double whole)
{
	put_text(c, ksm_format_percent(c->text[c->used], KSM_FORMAT_MAX, part, whole));
}

static void print_and_free(struct ksm_table *table, FILE *to)
{
	ksm_table_print(table, to, true);
	ksm_table_free(table);
}

static void rest(size_t all, size_t shown, const char *what, FILE *to)
{
	if (all > shown)
		fprintf(to, "and %zu more %s (--top)\n", all - shown, what);
}

static const char *const titles[] = { [REPORT_BY_PROCESS] = "PID",
				      [REPORT_BY_CGROUP] = "PROCESSES",
				      [REPORT_BY_GUEST] = "PROCESSES" };

void report_print_rows(const struct report_view *v, FILE *to)
{
	const struct ksm_column columns[] = {
		{ titles[v->rows_by], true }, { "MERGED", true },   { "ZERO", true },
		{ "BROKEN", true },	      { "UNMERGED", true }, { "NET", true },
		{ "AT START", true },	      { "CHURN", true },    { "STAYED", true },
		{ "LATENCY", true },	      { "MAX", true },	    { "NAME", false },
	};
	struct ksm_table *table = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	size_t shown = v->rows.sorted_count < v->top ? v->rows.sorted_count : v->top;

	for (size_t i = 0; table && i < shown; i++) {
		const struct report_row *row = &v->rows.rows[v->rows.sorted[i]];
		const struct tally *t = &row->tally;
		struct cells c = { .used = 0 };
		char name[REPORT_NAME_MAX];

		snprintf(c.text[0], KSM_FORMAT_MAX, "%" PRIu64,
			 v->rows_by == REPORT_BY_PROCESS ? row->tgid : row->processes);
		put_text(&c, c.text[0]);
		put_count(&c, t->new_pages + t->merges);
		put_count(&c, t->zero);
		put_count(&c, t->breaks);
		put_count(&c, t->unmerged);
		put_count(&c, tally_net(t));
		put_count(&c, t->before);
		put_percent(&c, t->churned, t->new_pages + t->merges);
		put_ns(&c, t->churned ? t->stayed / t->churned : 0);
		put_ns(&c, t->timed ? t->latency / t->timed : 0);
		put_ns(&c, t->latency_max);
		put_text(&c, ksm_format_safe(name, sizeof(name), row->name));
		ksm_table_row(table, c.at);
	}
	if (!table)
		return;
	print_and_free(table, to);
	rest(v->rows.sorted_count, shown, "rows", to);
}

void report_print_events(const struct report_view *v, FILE *to)
{
	static const struct ksm_column columns[] = { { "EVENT", false }, { "COUNT", true },
						     { "LOST", true },	 { "PER SECOND", true },
						     { "FIRST", true },	 { "LAST", true },
						     { "HOOK", false } };
	struct ksm_table *table = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	double seconds = (v->r->end - v->r->start) / 1e9;

	for (unsigned int type = 1; table && type < KSM_EVENT_MAX; type++) {
		const struct report_type *t = &v->r->types[type];
		const char *hook = report_hook(v, type);
		struct cells c = { .used = 0 };

		put_text(&c, ksm_event_name(type));
		put_count(&c, t->count);
		put_count(&c, t->lost);
		put_text(&c, seconds > 0 ? ksm_format_short(c.text[c.used], KSM_FORMAT_MAX,
							    t->count / seconds) :
					   "-");
		for (int i = 0; i < 2; i++) {
			uint64_t time = (i ? t->last : t->first) - v->r->start;

			if (t->count)
				snprintf(c.text[c.used], KSM_FORMAT_MAX, "%" PRIu64 ".%06" PRIu64,
					 time / SECOND, time % SECOND / 1000);
			put_text(&c, t->count ? c.text[c.used] : "-");
		}
		put_text(&c, hook ? hook : "");
		ksm_table_row(table, c.at);
	}
	if (table)
		print_and_free(table, to);
}

void report_print_frames(const struct report_view *v, FILE *to)
{
	static const struct ksm_column columns[] = { { "FRAME", true },	 { "KSM PAGES", true },
						     { "MERGED", true }, { "BROKEN", true },
						     { "MAPPED", true }, { "PROCESSES", true } };
	struct ksm_table *table = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));

	for (size_t i = 0; table && i < v->frame_count && i < v->top; i++) {
		const struct report_frame *f = &v->frames[i];
		struct cells c = { .used = 0 };

		snprintf(c.text[0], KSM_FORMAT_MAX, "0x%" PRIx64, f->kpfn);
		put_text(&c, c.text[0]);
		put_count(&c, f->births);
		put_count(&c, f->merges);
		put_count(&c, f->breaks);
		put_count(&c, f->mapped);
		put_count(&c, f->processes);
		ksm_table_row(table, c.at);
	}
	if (!table)
		return;
	print_and_free(table, to);
	if (sample_weight(&v->r->frames) > 1)
		fprintf(to,
			"too many pages to remember all: one frame of %" PRIu64 " was looked at\n",
			sample_weight(&v->r->frames));
}

/* Buckets are added up to powers of two, and drawn. */
static void print_hist(const struct report_view *v, const struct hist *h, FILE *to)
{
	uint64_t max = 1, count;
	char from[KSM_FORMAT_MAX], number[KSM_FORMAT_MAX];
	int width;

	fprintf(to, "%12s  %12s\n", "FROM", "COUNT");
	for (int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < KSM_LATENCY_SLOTS; i += HIST_SUB) {
			count = 0;
			for (unsigned int j = i; j < i + HIST_SUB; j++)
				count += h->slot[j];
			if (count > max)
				max = count;
			if (!pass || !count)
				continue;
			fprintf(to, "%12s  %12s  ",
				ksm_format_duration(from, sizeof(from), ksm_latency_value(i)),
				ksm_format_count(number, sizeof(number), count));
			width = (count * 50.0 + max - 1) / max;
			while (width--)
				fputs(v->utf8 ? "█" : "#", to);
			fputc('\n', to);
		}
	}
}

static void print_percentiles(const struct hist *h, FILE *to)
{
	static const double percents[] = { 50, 90, 99, 99.9 };
	char text[KSM_FORMAT_MAX];

	fprintf(to, "min %s", ksm_format_duration(text, sizeof(text), h->min));
	for (size_t i = 0; i < KSM_ARRAY_SIZE(percents); i++)
		fprintf(to, ", p%g %s", percents[i],
			ksm_format_duration(text, sizeof(text), hist_percentile(h, percents[i])));
	fprintf(to, ", max %s", ksm_format_duration(text, sizeof(text), h->max));
	fprintf(to, ", mean %s\n", ksm_format_duration(text, sizeof(text), hist_mean(h)));
}

static void print_whole_hist(const struct report_view *v, const char *title, const struct hist *h,
			     FILE *to)
{
	char count[KSM_FORMAT_MAX];

	fprintf(to, "\n%s: %s\n", title, ksm_format_count(count, sizeof(count), h->count));
	if (!h->count)
		return;
	print_percentiles(h, to);
	print_hist(v, h, to);
}

void report_print_latency(const struct report_view *v, FILE *to)
{
	const char *hook = report_hook(v, KSM_EVENT_COW_BREAK);

	print_whole_hist(v, "writes to merged pages, by how long the fault took", &v->r->latency,
			 to);
	if (v->r->unmerge_latency.count)
		print_whole_hist(v, "pages unmerged, by how long each took", &v->r->unmerge_latency,
				 to);
	if (hook)
		fprintf(to, "\nmeasured by %s\n", hook);
}

void report_print_churn(const struct report_view *v, FILE *to)
{
	const struct tally *t = &v->r->total;
	uint64_t merged = t->new_pages + t->merges, broken = t->breaks + t->unmerged;
	char a[KSM_FORMAT_MAX], b[KSM_FORMAT_MAX];

	fprintf(to, "\nmerged %s pages; broken again %s of them (%s)\n",
		ksm_format_count(a, sizeof(a), merged),
		ksm_format_percent(b, sizeof(b), t->churned, merged), "during the recording");
	fprintf(to, "merged anew after a break %s, left otherwise %s\n",
		ksm_format_count(a, sizeof(a), t->again), ksm_format_count(b, sizeof(b), t->gone));
	if (broken > t->churned)
		fprintf(to,
			"broken %s more pages that were merged before the recording or inherited\n",
			ksm_format_count(a, sizeof(a), broken - t->churned));
	if (sample_weight(&v->r->live) > 1)
		fprintf(to,
			"too many pages to remember all: estimated from one frame of %" PRIu64 "\n",
			sample_weight(&v->r->live));
	print_whole_hist(v, "pages broken again, by how long they stayed merged", &v->r->stay, to);
}

static int by_number(const void *a, const void *b)
{
	const struct pass *x = *(const struct pass *const *)a, *y = *(const struct pass *const *)b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int by_merged(const void *a, const void *b)
{
	const struct pass *x = *(const struct pass *const *)a, *y = *(const struct pass *const *)b;

	if (x->merged != y->merged)
		return x->merged > y->merged ? -1 : 1;
	return by_number(a, b);
}

static void pass_row(const struct report_view *v, const struct pass *p, struct ksm_table *table)
{
	struct cells c = { .used = 0 };
	uint64_t time = p->start - v->r->start;

	put_count(&c, p->number);
	snprintf(c.text[c.used], KSM_FORMAT_MAX, "%" PRIu64 ".%03" PRIu64, time / SECOND,
		 time % SECOND / 1000000);
	put_text(&c, c.text[c.used]);
	put_ns(&c, p->duration);
	put_count(&c, p->items);
	put_count(&c, p->merged);
	put_count(&c, p->failed);
	put_count(&c, p->breaks);
	put_percent(&c, p->merged, p->items);
	ksm_table_row(table, c.at);
}

void report_print_passes(const struct report_view *v, FILE *to)
{
	static const struct ksm_column columns[] = { { "PASS", true },	 { "AT", true },
						     { "TOOK", true },	 { "PAGES", true },
						     { "MERGED", true }, { "IN VAIN", true },
						     { "BROKEN", true }, { "EFFICIENCY", true } };
	struct ksm_table *table = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	const struct passes *p = &v->r->passes;
	const struct pass *order[PASSES_KEPT];
	size_t shown = p->kept_count < v->top ? p->kept_count : v->top;

	if (!table)
		return;
	for (size_t i = 0; i < p->kept_count; i++)
		order[i] = &p->kept[i];
	/* Those that merged most, in order of time. */
	qsort(order, p->kept_count, sizeof(*order), by_merged);
	qsort(order, shown, sizeof(*order), by_number);
	for (size_t i = 0; i < shown; i++)
		pass_row(v, order[i], table);
	fputc('\n', to);
	print_and_free(table, to);
	rest(p->count, shown, "passes, which merged less", to);
	if (p->on)
		fprintf(to, "and one that goes on: %" PRIu64 " merged\n", p->now.merged);
}

static void print_classes(const struct report_view *v, FILE *to)
{
	static const char *const names[SHARERS_CLASSES] = { "1", "2", "3-4", "5-8", "9-16", "17-" };
	char count[KSM_FORMAT_MAX];
	bool any = false;

	for (unsigned int i = 0; i < SHARERS_CLASSES; i++)
		any |= v->sharing.classes[i];
	if (any)
		fprintf(to, "\nKSM pages by how many map them (%s)\n",
			report_by_names[v->rows_by]);
	for (unsigned int i = 0; i < SHARERS_CLASSES; i++)
		if (v->sharing.classes[i])
			fprintf(to, "%8s  %s\n", names[i],
				ksm_format_count(count, sizeof(count), v->sharing.classes[i]));
}

static void pair_name(const struct report_view *v, uint32_t number, char *buf, size_t size)
{
	const struct report_row *row = &v->rows.rows[number];
	char name[CELL];

	ksm_format_safe(name, sizeof(name), row->name);
	if (row->tgid)
		snprintf(buf, size, "%s %u", name, row->tgid);
	else
		ksm_copy(buf, size, name);
}

void report_print_sharing(const struct report_view *v, FILE *to)
{
	static const struct ksm_column columns[] = {
		{ "PAGES", true }, { "SIZE", true }, { "ONE", false }, { "OTHER", false }
	};
	struct ksm_table *table = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	const struct sharing *s = &v->sharing;
	size_t shown = s->count < v->top ? s->count : v->top;

	if (!table)
		return;
	print_classes(v, to);
	for (size_t i = 0; i < shown; i++) {
		struct cells c = { .used = 0 };
		char a[CELL + 12], b[CELL + 12];

		put_count(&c, s->pairs[i].frames);
		put_text(&c, report_size(v, c.text[c.used], KSM_FORMAT_MAX, s->pairs[i].frames));
		pair_name(v, s->pairs[i].a, a, sizeof(a));
		put_text(&c, a);
		pair_name(v, s->pairs[i].b, b, sizeof(b));
		put_text(&c, b);
		ksm_table_row(table, c.at);
	}
	fprintf(to, "\nKSM pages in common at the end, of those merged during the recording%s\n",
		shown ? "" : ": none");
	if (shown)
		print_and_free(table, to);
	else
		ksm_table_free(table);
	rest(s->count, shown, "pairs", to);
	if (s->weight > 1)
		fprintf(to,
			"too many pages to remember all: estimated from one frame of %" PRIu64 "\n",
			s->weight);
}
