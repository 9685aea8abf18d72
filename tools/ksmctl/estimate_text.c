// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ksmctl/estimate.h"
#include "lib/format.h"
#include "lib/log.h"

#define SHOWN_TARGETS 10

/* Some cells for a table: the texts live as long as the struct. */
struct cells {
	char text[8][64];
	const char *cell[8];
	unsigned int count;
};

static char *next_cell(struct cells *c)
{
	c->cell[c->count] = c->text[c->count];
	return c->text[c->count++];
}

static void count_cell(struct cells *c, double value)
{
	ksm_format_count(next_cell(c), sizeof(c->text[0]), (int64_t)(value + 0.5));
}

static void bytes_cell(struct cells *c, double pages)
{
	ksm_format_bytes(next_cell(c), sizeof(c->text[0]),
			 (int64_t)(pages * (double)ksm_page_size()));
}

/* "12,345 pages (48.2 MiB)" */
static const char *pages_text(char *buf, size_t size, double pages)
{
	char count[KSM_FORMAT_MAX], bytes[KSM_FORMAT_MAX];

	snprintf(buf, size, "%s pages (%s)",
		 ksm_format_count(count, sizeof(count), (int64_t)(pages + 0.5)),
		 ksm_format_pages(bytes, sizeof(bytes), (int64_t)(pages + 0.5)));
	return buf;
}

static void print_read(const struct estimate_report *r)
{
	const struct ksm_scope_result *all = &r->r.scopes[KSM_SCOPE_ALL];
	char pages[80], time[KSM_FORMAT_MAX], rate[KSM_FORMAT_MAX];
	double seconds = (double)r->elapsed_ns / 1e9;

	printf("read        %s of %zu process%s in %s, %s/s\n",
	       pages_text(pages, sizeof(pages), (double)all->pages), r->r.target_count,
	       r->r.target_count == 1 ? "" : "es",
	       ksm_format_duration(time, sizeof(time), r->elapsed_ns),
	       ksm_format_bytes(rate, sizeof(rate),
				(int64_t)((double)all->pages * (double)ksm_page_size() / seconds)));
	if (r->r.part < 1.0)
		printf("sample      %.3g %% of the hash space, %" PRIu32
		       " contents; intervals are 95 %%\n",
		       r->r.part * 100, r->r.kept);
}

static void print_skipped(const struct estimate_report *r)
{
	const struct estimate_stats *s = r->stats;
	const struct {
		const char *one, *many;
		uint64_t count;
	} items[] = {
		{ "process that ended", "processes that ended", s->exited },
		{ "process that we may not read", "processes that we may not read", s->denied },
		{ "page in swap", "pages in swap", s->swapped },
		{ "page gone meanwhile", "pages gone meanwhile", s->gone },
		{ "page without read permission", "pages without read permission", s->unreadable },
	};
	unsigned int shown = 0;
	char count[KSM_FORMAT_MAX];

	for (size_t i = 0; i < KSM_ARRAY_SIZE(items); i++)
		if (items[i].count)
			printf("%s%s %s", shown++ ? ", " : "not read    ",
			       ksm_format_count(count, sizeof(count), (int64_t)items[i].count),
			       items[i].count == 1 ? items[i].one : items[i].many);
	if (shown)
		putchar('\n');
}

static void print_found(const struct estimate_report *r)
{
	const struct ksm_scope_result *all = &r->r.scopes[KSM_SCOPE_ALL];
	char text[80], more[80];

	printf("zero        %s", pages_text(text, sizeof(text), (double)all->zero));
	if (r->stats->zero_mapped)
		printf("; %s more map the page of zeroes already",
		       ksm_format_count(more, sizeof(more), (int64_t)r->stats->zero_mapped));
	printf("\nduplicates  %s inside processes, %s across them\n",
	       pages_text(text, sizeof(text), all->inside.value),
	       pages_text(more, sizeof(more), all->across.value));
	if (all->already.value >= 1)
		printf("shared now  %s need no frame of their own: merged, or forked and not "
		       "written since\n",
		       pages_text(text, sizeof(text), all->already.value));
	if (r->stats->no_frames)
		puts("shared now  not known without CAP_SYS_ADMIN: what is merged counts again");
	if (r->stats->thp_bytes)
		printf("huge pages  %s, which merging would split\n",
		       ksm_format_bytes(text, sizeof(text), (int64_t)r->stats->thp_bytes));
	if (r->stats->shared_bytes || r->stats->hugetlb_bytes)
		printf("no merging  %s of shared mappings, %s of hugetlbfs: never taken by KSM\n",
		       ksm_format_bytes(text, sizeof(text), (int64_t)r->stats->shared_bytes),
		       ksm_format_bytes(more, sizeof(more), (int64_t)r->stats->hugetlb_bytes));
}

static int saving_row(struct ksm_table *t, const char *title, double now, double all)
{
	struct cells c = { .cell = { title }, .count = 1 };

	bytes_cell(&c, now);
	bytes_cell(&c, all);
	return ksm_table_row(t, c.cell);
}

static int print_saving(const struct estimate_report *r)
{
	static const struct ksm_column columns[] = { { "SAVING", false },
						     { "AS MARKED NOW", true },
						     { "EVERYTHING ENABLED", true } };
	const struct ksm_scope_result *now = &r->r.scopes[KSM_SCOPE_NOW];
	const struct ksm_scope_result *all = &r->r.scopes[KSM_SCOPE_ALL];
	struct ksm_table *t = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	double page = (double)ksm_page_size();
	double meta_now = (double)r->cost_now.metadata_bytes / page;
	double meta_all = (double)r->cost.metadata_bytes / page;
	int ret = t ? 0 : -1;

	ret = ret ? ret : saving_row(t, "of", (double)now->pages, (double)all->pages);
	ret = ret ? ret : saving_row(t, "saved", now->saving.value, all->saving.value);
	if (r->r.part < 1.0) {
		ret = ret ? ret : saving_row(t, "  at least", now->saving.low, all->saving.low);
		ret = ret ? ret : saving_row(t, "  at most", now->saving.high, all->saving.high);
	}
	ret = ret ? ret :
		    saving_row(t, "  within users only", now->saving_within_users.value,
			       all->saving_within_users.value);
	ret = ret ? ret : saving_row(t, "metadata, at most", meta_now, meta_all);
	ret = ret ? ret :
		    saving_row(t, "net", now->saving.value - meta_now,
			       all->saving.value - meta_all);
	if (!ret) {
		putchar('\n');
		ksm_table_print(t, stdout, true);
		putchar('\n');
	}
	ksm_table_free(t);
	return ret;
}

static void print_cost(const struct estimate_report *r)
{
	char time[KSM_FORMAT_MAX], page[KSM_FORMAT_MAX];

	ksm_format_duration(page, sizeof(page), (uint64_t)r->cost.scan.ns_page);
	if (!r->b)
		puts("settings    no KSM on this machine: a kernel's defaults");
	if (!r->cost.scan.full_scan_ns)
		puts("scan        pages_to_scan is 0: nothing would ever be scanned");
	else
		printf("scan        all of it in %s at today's settings, with %.1f %% of a CPU "
		       "(%s a page%s); a merge takes two scans\n",
		       ksm_format_duration(time, sizeof(time), r->cost.scan.full_scan_ns),
		       r->cost.scan.cpu_percent, page, r->cost.scan.known ? "" : ", assumed");
}

static int target_row(struct ksm_table *t, const struct ksm_target_result *target)
{
	double own = (double)(target->pages - target->zero) - target->contents;
	struct cells c = { .count = 0 };

	snprintf(next_cell(&c), sizeof(c.text[0]), "%d", target->target.pid);
	snprintf(next_cell(&c), sizeof(c.text[0]), "%u", target->target.uid);
	count_cell(&c, (double)target->pages);
	count_cell(&c, (double)target->mergeable);
	count_cell(&c, (double)target->zero);
	count_cell(&c, own > 0 ? own : 0);
	count_cell(&c, target->shared);
	ksm_format_safe(next_cell(&c), sizeof(c.text[0]), target->target.name);
	return ksm_table_row(t, c.cell);
}

/* The largest first: a selection of few out of a list in another order. */
static int print_targets(const struct estimate_report *r)
{
	static const struct ksm_column columns[] = {
		{ "PID", true },  { "UID", true },	 { "PAGES", true },  { "MARKED", true },
		{ "ZERO", true }, { "DUPLICATE", true }, { "SHARED", true }, { "COMMAND", false },
	};
	struct ksm_table *t = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	uint64_t below = UINT64_MAX;
	size_t shown = 0;
	int ret = t ? 0 : -1;

	while (!ret && shown < SHOWN_TARGETS && shown < r->r.target_count) {
		uint64_t best = 0;

		for (size_t i = 0; i < r->r.target_count; i++)
			if (r->r.targets[i].pages < below && r->r.targets[i].pages > best)
				best = r->r.targets[i].pages;
		if (!best)
			break;
		for (size_t i = 0; !ret && i < r->r.target_count && shown < SHOWN_TARGETS; i++)
			if (r->r.targets[i].pages == best) {
				ret = target_row(t, &r->r.targets[i]);
				shown++;
			}
		below = best;
	}
	if (!ret) {
		putchar('\n');
		ksm_table_print(t, stdout, true);
	}
	if (!ret && shown < r->r.target_count)
		printf("and %zu more\n", r->r.target_count - shown);
	ksm_table_free(t);
	return ret;
}

static int print_pairs(const struct estimate_report *r)
{
	static const struct ksm_column columns[] = {
		{ "IN COMMON", true }, { "PID", true },	     { "COMMAND", false },
		{ "PID", true },       { "COMMAND", false },
	};
	struct ksm_table *t = ksm_table_new(columns, KSM_ARRAY_SIZE(columns));
	int ret = t ? 0 : -1;

	for (size_t i = 0; i < r->r.pair_count && !ret; i++) {
		const struct ksm_pair *pair = &r->r.pairs[i];
		const struct ksm_target *ends[] = { &r->r.targets[pair->a].target,
						    &r->r.targets[pair->b].target };
		struct cells c = { .count = 0 };

		bytes_cell(&c, pair->pages);
		for (size_t k = 0; k < 2; k++) {
			snprintf(next_cell(&c), sizeof(c.text[0]), "%d", ends[k]->pid);
			ksm_format_safe(next_cell(&c), sizeof(c.text[0]), ends[k]->name);
		}
		ret = ksm_table_row(t, c.cell);
	}
	if (!ret && r->r.pair_count) {
		putchar('\n');
		ksm_table_print(t, stdout, true);
	}
	ksm_table_free(t);
	return ret;
}

int estimate_text(const struct estimate_report *r)
{
	int ret;

	print_read(r);
	print_skipped(r);
	print_found(r);
	ret = print_saving(r);
	print_cost(r);
	ret = ret ? ret : print_targets(r);
	ret = ret ? ret : print_pairs(r);
	if (ret) {
		ksm_log_error("out of memory");
		return KSM_EXIT_FAILED;
	}
	printf("\n%s\n", r->verdict);
	return KSM_EXIT_OK;
}
