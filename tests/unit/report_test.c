// SPDX-License-Identifier: GPL-2.0
/* What ksmtrace report makes of events: figures first, then that they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "ksmtrace/report_view.h"
#include "lib/trace_names.h"

#define START UINT64_C(5000000000)
#define MS UINT64_C(1000000)

static struct report *r;
static uint64_t now;

static int setup(void **state)
{
	now = START;
	r = report_new(START);
	return r ? 0 : -1;
}

static int teardown(void **state)
{
	report_free(r);
	return 0;
}

/* An event of a process one millisecond after the one before; the mm is the process. */
static struct ksm_event event(unsigned int type, uint32_t tgid)
{
	now += MS;
	return (struct ksm_event){ .time = now, .type = type, .tgid = tgid, .mm = tgid };
}

static void feed(struct ksm_event e)
{
	assert_int_equal(report_feed(r, &e), 0);
}

static void page(unsigned int type, uint32_t tgid, uint64_t number, uint64_t kpfn)
{
	struct ksm_event e = event(type, tgid);

	e.address = number << 12;
	e.pfn = kpfn;
	feed(e);
}

static void write_to(uint32_t tgid, uint64_t number, uint64_t kpfn, uint64_t latency)
{
	struct ksm_event e = event(KSM_EVENT_COW_BREAK, tgid);

	e.address = number << 12;
	e.pfn = kpfn;
	e.n64 = latency;
	feed(e);
}

static int feed_one(void *ctx, const struct ksm_event *e)
{
	return report_feed(r, e);
}

static void call(uint32_t tgid, const char *comm, const char *guest, const char *cgroup)
{
	struct ksm_event e = event(KSM_EVENT_COMM, tgid);
	char text[16] = "";

	memcpy(text, comm, strlen(comm));
	memcpy(&e.address, text, 8);
	memcpy(&e.pfn, text + 8, 8);
	feed(e);
	if (guest)
		ksm_name_tell(&e, KSM_NAME_GUEST, guest, feed_one, NULL);
	if (cgroup)
		ksm_name_tell(&e, KSM_NAME_CGROUP, cgroup, feed_one, NULL);
}

static void counter(unsigned int id, int64_t value)
{
	struct ksm_event e = event(KSM_EVENT_COUNTER, 0);

	e.n32 = id;
	e.n64 = value;
	feed(e);
}

static void test_hist(void **state)
{
	struct hist h = { .count = 0 };

	assert_int_equal(hist_percentile(&h, 50), 0);
	for (uint64_t v = 1; v <= 1000; v++)
		hist_add(&h, v, 1);
	assert_int_equal(h.min, 1);
	assert_int_equal(h.max, 1000);
	assert_int_equal(hist_mean(&h), 500);
	assert_in_range(hist_percentile(&h, 50), 440, 560);
	assert_in_range(hist_percentile(&h, 99), 900, 1000);
	assert_int_equal(hist_percentile(&h, 100), 1000);
	hist_add(&h, UINT64_MAX, 2);
	hist_add(&h, 0, 1);
	assert_int_equal(h.count, 1003);
	assert_true(hist_percentile(&h, 100) == UINT64_MAX);
	assert_int_equal(hist_percentile(&h, 0), 9); /* 0 and 8 share a slot */
}

/* Full, it keeps whole frames, and those stand for all. */
static void test_sample(void **state)
{
	struct sample s = { .size = 0 };
	uint64_t estimate;

	assert_int_equal(sample_init(&s, 1 << 13), 0);
	for (uint64_t key = 1; key <= 200000; key++) {
		struct sample_entry *e = sample_insert(&s, key, key / 10);

		if (e)
			assert_int_equal(e->key, key);
		assert_true(s.used <= s.size / 4 * 3);
	}
	assert_int_equal(s.size, 1 << 13);
	estimate = s.used * sample_weight(&s);
	assert_in_range(estimate, 170000, 230000);
	for (uint64_t frame = 1; frame < 20000; frame++) {
		bool there = sample_find(&s, frame * 10);

		for (uint64_t i = 1; i < 10; i++)
			assert_int_equal(!!sample_find(&s, frame * 10 + i), there);
	}
	sample_free(&s);
}

/* Nothing but one frame: there is nothing to leave out, and no end to wait for. */
static void test_sample_one_frame(void **state)
{
	struct sample s = { .size = 0 };

	assert_int_equal(sample_init(&s, 64), 0);
	for (uint64_t key = 1; key < 5000; key++)
		sample_insert(&s, key, 7);
	assert_true(s.used <= 64);
	sample_free(&s);
}

static void test_page_life(void **state)
{
	page(KSM_EVENT_NEW_PAGE, 10, 1, 500);
	page(KSM_EVENT_MERGE, 11, 1, 500);
	write_to(11, 1, 500, 3000);		  /* merged 1 ms ago */
	page(KSM_EVENT_RMAP_REMOVED, 11, 1, 500); /* what a break leaves behind */
	page(KSM_EVENT_MERGE, 11, 1, 500);
	page(KSM_EVENT_RMAP_REMOVED, 10, 1, 500); /* unmapped */
	write_to(12, 9, 700, 1000);		  /* merged before anyone looked */
	write_to(12, 10, 701, 0); /* nobody knows how long */
	page(KSM_EVENT_ZERO_MERGE, 12, 3, 1);
	page(KSM_EVENT_MERGE_FAILED, 12, 4, 1);
	report_finish(r);
	assert_int_equal(r->total.new_pages, 1);
	assert_int_equal(r->total.merges, 2);
	assert_int_equal(r->total.zero, 1);
	assert_int_equal(r->total.failed, 1);
	assert_int_equal(r->total.breaks, 3);
	assert_int_equal(r->total.churned, 1);
	assert_int_equal(r->total.stayed, MS);
	assert_int_equal(r->total.again, 1);
	assert_int_equal(r->total.gone, 1);
	assert_int_equal(tally_net(&r->total), 0);
	assert_int_equal(r->latency.count, 2);
	assert_int_equal(r->latency.max, 3000);
	assert_int_equal(r->latency.min, 1000);
	assert_int_equal(r->total.timed, 2);
	assert_int_equal(r->happened, 10);
}

/*
 * Where the hooks do not see a page leave: its process ended, its KSM page is no more, or it merges
 * once more.
 */
static void test_left_unseen(void **state)
{
	page(KSM_EVENT_NEW_PAGE, 10, 1, 500);
	page(KSM_EVENT_MERGE, 11, 1, 500);
	page(KSM_EVENT_ZERO_MERGE, 11, 2, 1);
	feed(event(KSM_EVENT_EXIT, 11));
	page(KSM_EVENT_NEW_PAGE, 10, 2, 501);
	page(KSM_EVENT_PAGE_REMOVED, 0, 0, 501);
	page(KSM_EVENT_NEW_PAGE, 12, 1, 501); /* the frame is used again */
	page(KSM_EVENT_MERGE, 10, 3, 500);
	page(KSM_EVENT_MERGE, 10, 3, 500);
	report_finish(r);
	assert_int_equal(r->procs.all[1].tally.gone, 2);
	assert_int_equal(tally_net(&r->procs.all[1].tally), 2);
	assert_int_equal(r->procs.all[2].tally.gone, 2);
	assert_int_equal(tally_net(&r->procs.all[2].tally), 0);
	assert_int_equal(tally_net(&r->procs.all[3].tally), 1);
	assert_int_equal(r->total.again, 0);
}

/* The snapshot is taken when the hooks are at work already: what they saw is not counted twice. */
static void test_at_start(void **state)
{
	struct ksm_event e;

	page(KSM_EVENT_NEW_PAGE, 10, 1, 500);
	page(KSM_EVENT_MERGE, 11, 1, 500);
	write_to(11, 7, 300, 1);
	for (uint32_t tgid = 10; tgid < 12; tgid++) {
		e = event(KSM_EVENT_PROCESS, tgid);
		e.n32 = 5;
		e.address = 2;
		feed(e);
	}
	page(KSM_EVENT_MERGE, 10, 2, 500);
	report_finish(r);
	assert_int_equal(r->procs.all[1].tally.before, 6);
	assert_int_equal(r->procs.all[2].tally.before, 7);
}

/* A pid that comes again is another process; a new program in the same process is not. */
static void test_processes(void **state)
{
	call(10, "one", NULL, NULL);
	page(KSM_EVENT_MERGE, 10, 1, 500);
	feed(event(KSM_EVENT_EXIT, 10));
	page(KSM_EVENT_RMAP_REMOVED, 10, 1, 500);
	call(10, "two", NULL, NULL);
	page(KSM_EVENT_MERGE, 10, 1, 500);
	call(10, "three", NULL, NULL);
	assert_int_equal(r->procs.count, 3);
	assert_string_equal(r->procs.all[1].comm, "one");
	assert_true(r->procs.all[1].exited);
	assert_int_equal(r->procs.all[1].tally.gone, 1);
	assert_string_equal(r->procs.all[2].comm, "three");
	assert_false(r->procs.all[2].exited);
	feed(event(KSM_EVENT_EXIT, 10));
	feed(event(KSM_EVENT_ENTER, 10));
	assert_false(r->procs.all[2].exited);
}

/* Processes of which nothing but the end is told. */
static void test_exits_alone(void **state)
{
	for (uint32_t tgid = 1; tgid < 5000; tgid++)
		feed(event(tgid & 1 ? KSM_EVENT_EXIT : KSM_EVENT_ENTER, tgid));
	assert_int_equal(r->procs.count, 5000);
	for (uint32_t i = 1; i < 5000; i++)
		assert_int_equal(r->procs.all[i].exited, i & 1);
}

static void test_more_processes_than_room(void **state)
{
	for (uint32_t tgid = 1; tgid < PROCS_MAX + 1000; tgid++)
		page(KSM_EVENT_MERGE, tgid, 1, tgid);
	call(10, "ten", NULL, NULL);
	feed(event(KSM_EVENT_EXIT, 10));
	call(10, "ten again", NULL, NULL);
	feed(event(KSM_EVENT_EXIT, PROCS_MAX + 5));
	report_finish(r);
	assert_int_equal(r->procs.count, PROCS_MAX);
	assert_int_equal(r->total.merges, PROCS_MAX + 999);
	assert_int_equal(r->procs.all[0].tally.merges, 1000);
	assert_true(r->procs.beyond >= 1);
	assert_int_equal(r->procs.all[0].tally.gone, 0);
}

static void test_passes(void **state)
{
	struct ksm_event e;

	page(KSM_EVENT_MERGE, 1, 1, 1); /* before the first start: in no pass */
	for (int i = 0; i < 2000; i++) {
		e = event(KSM_EVENT_SCAN_START, 0);
		e.n32 = i;
		feed(e);
		for (int j = 0; j < (i == 1000 ? 50 : i < 100); j++)
			page(KSM_EVENT_MERGE, 1, 100 * i + j, 1);
		e = event(KSM_EVENT_SCAN_STOP, 0);
		e.n64 = 1000;
		feed(e);
	}
	assert_int_equal(r->passes.count, 2000);
	assert_int_equal(r->passes.merged, 150);
	assert_int_equal(r->passes.items, 2000000);
	assert_int_equal(r->passes.kept_count, PASSES_KEPT);
	assert_int_equal(r->passes.kept[99].number, 100);
	assert_int_equal(r->passes.kept[PASSES_KEPT - 1].merged, 50);
	assert_int_equal(r->passes.kept[0].duration, 2 * MS);
}

/* 6.1's in-tree KSM tells only when a pass starts. */
static void test_passes_without_end(void **state)
{
	for (int i = 0; i < 4; i++)
		feed(event(KSM_EVENT_SCAN_START, 0));
	assert_int_equal(r->passes.count, 3);
	assert_int_equal(r->passes.durations.max, MS);
	assert_true(r->passes.on);
}

static void test_series(void **state)
{
	for (int i = 0; i < 100; i++) {
		now += 1000 * MS;
		counter(KSM_ABI_PAGES_SHARING, 10 * i);
	}
	page(KSM_EVENT_MERGE, 1, 1, 1);
	report_finish(r);
	assert_in_range(r->series.used, SERIES_POINTS / 2, SERIES_POINTS);
	assert_int_equal(r->series.points[0].saved, 0);
	assert_int_equal(r->series.points[r->series.used - 1].saved, 990);
	assert_int_equal(r->series.points[r->series.used - 1].merged, 1);
	for (unsigned int i = 1; i < r->series.used; i++)
		assert_true(r->series.points[i].saved >= r->series.points[i - 1].saved);
	assert_int_equal(report_saved_first(r), 0);
	assert_int_equal(report_saved_last(r), 990);
}

/* Two guests share two pages, and a third one of those with each; one ended. */
static void share(void)
{
	call(1, "qemu", "web", "/machine.slice/a");
	call(2, "qemu", "db", "/machine.slice/b");
	call(3, "sleep", NULL, "/machine.slice/b");
	call(4, "gone", "old", NULL);
	page(KSM_EVENT_NEW_PAGE, 1, 1, 100);
	page(KSM_EVENT_MERGE, 2, 1, 100);
	page(KSM_EVENT_MERGE, 3, 1, 100);
	page(KSM_EVENT_NEW_PAGE, 1, 2, 200);
	page(KSM_EVENT_MERGE, 2, 2, 200);
	page(KSM_EVENT_MERGE, 4, 2, 200);
	page(KSM_EVENT_NEW_PAGE, 1, 3, 300);
	page(KSM_EVENT_MERGE, 1, 4, 300);
	page(KSM_EVENT_MERGE, 2, 5, 300);
	write_to(2, 5, 300, 1);
	feed(event(KSM_EVENT_EXIT, 4));
	counter(KSM_ABI_PAGES_SHARING, 3);
	report_finish(r);
}

static void test_sharing(void **state)
{
	struct report_rows rows;
	struct sharing s;

	share();
	assert_int_equal(report_rows_make(r, REPORT_BY_PROCESS, &rows), 0);
	assert_int_equal(sharing_make(r, &rows, &s), 0);
	assert_int_equal(s.count, 3);
	assert_true(s.pairs[0].a == 1 && s.pairs[0].b == 2 && s.pairs[0].frames == 2);
	assert_true(s.pairs[1].a == 1 && s.pairs[1].b == 3 && s.pairs[1].frames == 1);
	assert_int_equal(s.classes[0], 1);
	assert_int_equal(s.classes[1], 1);
	assert_int_equal(s.classes[2], 1);
	assert_int_equal(s.alone[1], 1);
	sharing_free(&s);
	report_rows_free(&rows);
}

static const struct report_row *find_row(const struct report_rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->sorted_count; i++)
		if (!strcmp(rows->rows[rows->sorted[i]].name, name))
			return &rows->rows[rows->sorted[i]];
	fail_msg("no row %s", name);
	return NULL;
}

static void test_rows(void **state)
{
	struct report_rows rows;

	share();
	assert_int_equal(report_rows_make(r, REPORT_BY_GUEST, &rows), 0);
	assert_int_equal(rows.sorted_count, 4);
	assert_int_equal(rows.rows[rows.sorted[0]].order, 0);
	assert_string_equal(rows.rows[rows.sorted[0]].name, "web");
	assert_int_equal(tally_merged(&find_row(&rows, "web")->tally), 4);
	assert_int_equal(find_row(&rows, "(no guest)")->processes, 1);
	report_rows_free(&rows);
	assert_int_equal(report_rows_make(r, REPORT_BY_CGROUP, &rows), 0);
	assert_int_equal(find_row(&rows, "b")->processes, 2);
	assert_int_equal(tally_merged(&find_row(&rows, "b")->tally), 4);
	assert_int_equal(find_row(&rows, "(unknown)")->processes, 1);
	report_rows_free(&rows);
}

static void test_frames(void **state)
{
	struct report_frame top[2];

	share();
	assert_int_equal(report_frames(r, top, 2), 2);
	assert_int_equal(top[0].kpfn, 300);
	assert_int_equal(top[0].merges, 3);
	assert_int_equal(top[0].breaks, 1);
	assert_int_equal(top[0].births, 1);
	assert_int_equal(top[0].mapped, 2);
	assert_int_equal(top[0].processes, 1);
}

/* A page that hundreds share would make as many pairs as their square. */
static void test_sharing_many(void **state)
{
	struct report_rows rows;
	struct sharing s;
	double all = 0;

	for (uint32_t p = 1; p <= 500; p++)
		page(KSM_EVENT_MERGE, p, 1, 77);
	report_finish(r);
	assert_int_equal(report_rows_make(r, REPORT_BY_PROCESS, &rows), 0);
	assert_int_equal(sharing_make(r, &rows, &s), 0);
	assert_int_equal(s.count, 16 * 15 / 2);
	for (size_t i = 0; i < s.count; i++)
		all += s.pairs[i].frames;
	assert_in_range((unsigned long)all, 500 * 499 / 2 - 1, 500 * 499 / 2 + 1);
	assert_int_equal(s.classes[SHARERS_CLASSES - 1], 1);
	sharing_free(&s);
	report_rows_free(&rows);
}

static char *text_of(unsigned int parts, enum report_by by, bool utf8)
{
	static const struct ksm_trace_info info = { .env_count = 0 };
	struct report_view v = { .dir = "x",
				 .info = &info,
				 .r = r,
				 .by = by,
				 .parts = parts,
				 .top = 5,
				 .page_size = 4096,
				 .utf8 = utf8,
				 .columns = 80 };
	struct json_object *json, *back;
	char *text = NULL;
	size_t size;
	FILE *to;

	assert_int_equal(report_view_make(&v), 0);
	to = open_memstream(&text, &size);
	report_print_text(&v, to);
	fclose(to);
	json = report_to_json(&v);
	back = json_tokener_parse(json_object_to_json_string(json));
	assert_non_null(back);
	assert_true(json_object_equal(json, back));
	json_object_put(json);
	json_object_put(back);
	report_view_free(&v);
	return text;
}

static void test_text(void **state)
{
	char *text;

	share();
	for (int by = 0; by < REPORT_BYS; by++) {
		text = text_of(~0u, by, by & 1);
		assert_non_null(strstr(text, "merged      9 pages: 3 new KSM pages, 6 into"));
		assert_null(strstr(text, by & 1 ? "#" : "█"));
		free(text);
	}
}

/* Nothing happened at all: no division by it. */
static void test_empty(void **state)
{
	char *text;

	report_finish(r);
	text = text_of(~0u, REPORT_BY_PROCESS, true);
	assert_non_null(strstr(text, "events      0, none lost"));
	assert_non_null(strstr(text, "unknown: the recording has no counters"));
	free(text);
}

static void test_losses(void **state)
{
	struct ksm_event e = event(KSM_EVENT_LOST, 0);
	char *text;

	e.n32 = KSM_EVENT_MERGE;
	e.address = KSM_LOST_FULL;
	e.n64 = 12000;
	feed(e);
	e.address = KSM_LOST_MAX;
	e.n64 = 300;
	feed(e);
	e.address = KSM_LOST_SKIPPED;
	e.n64 = 45;
	feed(e);
	e.n32 = 9999;
	e.n64 = 1;
	feed(e);
	report_finish(r);
	assert_int_equal(r->lost, 12346);
	assert_int_equal(r->types[KSM_EVENT_MERGE].lost, 12345);
	text = text_of(REPORT_SUMMARY, REPORT_BY_PROCESS, true);
	assert_non_null(strstr(text, "12,346 lost: the figures below lack them"));
	assert_non_null(strstr(text, "lost 12,000 merge: the buffer was full\n"));
	assert_non_null(strstr(text, "lost 300 merge: the recording does not tell why\n"));
	assert_non_null(strstr(text, "lost 45 merge: at most, in programs that"));
	free(text);
}

static void test_chart(void **state)
{
	const int64_t values[] = { -5, 0, 1, 50, 100, 100, 0, 25 };
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	report_chart(values, 8, 8, 2, "max", true, to);
	report_chart(values, 8, 8, 2, "max", false, to);
	report_chart(values, 8, 16, 1, "max", true, to);
	report_chart(values, 0, 16, 1, "max", true, to);
	fclose(to);
	assert_string_equal(text, "       max │    ██\n"
				  "         0 │  ▁███ ▄\n"
				  "       max |    ##\n"
				  "         0 |  .### :\n"
				  "       max │    ▁▁▄▄████  ▂▂\n");
	free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hist),
		TEST(test_sample),
		TEST(test_sample_one_frame),
		TEST(test_page_life),
		TEST(test_left_unseen),
		TEST(test_at_start),
		TEST(test_processes),
		TEST(test_exits_alone),
		TEST(test_more_processes_than_room),
		TEST(test_passes),
		TEST(test_passes_without_end),
		TEST(test_series),
		TEST(test_sharing),
		TEST(test_rows),
		TEST(test_frames),
		TEST(test_sharing_many),
		TEST(test_text),
		TEST(test_empty),
		TEST(test_losses),
		TEST(test_chart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
