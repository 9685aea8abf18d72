// SPDX-License-Identifier: GPL-2.0
/*
 * The estimate against pages made up here, of which the truth is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/estimate.h"
#include "lib/util.h"

/* A leak checker's memory of freed blocks would count as ours. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=1";
}

/* Small pages hash faster, and the statistics are the same. */
#define SMALL_PAGE 16

/**
 * struct fake - processes whose page i holds content id(target, i)
 * @source: first, so that a pointer to it is one to all
 */
struct fake {
	struct ksm_page_source source;
	size_t page_size;
	size_t targets;
	uint64_t pages;				      /* of each target */
	uint64_t (*id)(size_t target, uint64_t page); /* 0: a zero page */
	struct ksm_page (*info)(size_t target, uint64_t page);
	uid_t (*uid)(size_t target);
	size_t target;
	uint64_t at;
	unsigned char *data;
};

static int fake_target(struct ksm_page_source *source, struct ksm_target *t)
{
	struct fake *f = (struct fake *)source;

	if (f->target == f->targets)
		return 0;
	t->pid = 100 + (pid_t)f->target;
	t->uid = f->uid ? f->uid(f->target) : 0;
	f->target++;
	f->at = 0;
	return 1;
}

static int fake_pages(struct ksm_page_source *source, struct ksm_page_batch *batch)
{
	struct fake *f = (struct fake *)source;
	struct ksm_page plain = { .flags = KSM_PAGE_MERGEABLE };

	for (; batch->count < KSM_BATCH_PAGES && f->at < f->pages; f->at++) {
		uint64_t id = f->id(f->target - 1, f->at);

		memcpy(f->data + batch->count * f->page_size, &id, sizeof(id));
		batch->pages[batch->count++] = f->info ? f->info(f->target - 1, f->at) : plain;
	}
	batch->data = f->data;
	return batch->count > 0;
}

static struct ksm_estimate_options defaults(size_t page_size)
{
	return (struct ksm_estimate_options){
		.page_size = page_size,
		.seed = 1,
		.sample = 1.0,
		.max_page_sharing = 256,
		.use_zero_pages = false,
	};
}

static struct ksm_estimate *estimate(struct fake *f, const struct ksm_estimate_options *o,
				     struct ksm_estimate_result *r)
{
	struct ksm_estimate *e = ksm_estimate_new(o);

	assert_non_null(e);
	f->source = (struct ksm_page_source){ fake_target, fake_pages };
	f->page_size = o->page_size;
	f->target = 0;
	f->data = calloc(KSM_BATCH_PAGES, o->page_size);
	assert_non_null(f->data);
	assert_int_equal(ksm_estimate_run(e, &f->source, NULL, NULL), 0);
	assert_int_equal(ksm_estimate_finish(e, r), 0);
	free(f->data);
	return e;
}

static void exactly(struct ksm_figure f, double want)
{
	assert_float_equal(f.value, want, 1e-6);
	assert_float_equal(f.low, want, 1e-6);
	assert_float_equal(f.high, want, 1e-6);
}

/*
 * Three processes of 100 pages: 10 zero; 20 of one content; 30 that all three have; 40 of their
 * own. The first two are one user's; only the first 50 pages are marked mergeable.
 */
static uint64_t mixed_id(size_t target, uint64_t page)
{
	if (page < 10)
		return 0;
	if (page < 30)
		return 1000 + target;
	if (page < 60)
		return 2000 + page;
	return 1000000 * (target + 1) + page;
}

static uid_t mixed_uid(size_t target)
{
	return target < 2 ? 1000 : 1001;
}

static struct ksm_page mixed_info(size_t target, uint64_t page)
{
	return (struct ksm_page){ .flags = page < 50 ? KSM_PAGE_MERGEABLE : 0,
				  .pfn = target * 1000 + page };
}

static void test_exact(void **state)
{
	struct fake f = {
		.targets = 3, .pages = 100, .id = mixed_id, .uid = mixed_uid, .info = mixed_info
	};
	struct ksm_estimate_options o = defaults(SMALL_PAGE);
	struct ksm_estimate_result r;
	struct ksm_estimate *e = estimate(&f, &o, &r);
	const struct ksm_scope_result *all = &r.scopes[KSM_SCOPE_ALL];
	const struct ksm_scope_result *now = &r.scopes[KSM_SCOPE_NOW];

	assert_int_equal(all->pages, 300);
	assert_int_equal(all->zero, 30);
	exactly(all->contents, 3 + 30 + 120);
	exactly(all->inside, 3 * 19);
	exactly(all->across, 2 * 30);
	exactly(all->already, 0);
	/* all 30 zero pages go to the kernel's own */
	exactly(all->saving, 3 * 19 + 2 * 30 + 30);
	/* the two of one user share 30, the third keeps its own */
	exactly(all->saving_within_users, 3 * 19 + 30 + 30);
	assert_int_equal(now->pages, 150);
	assert_int_equal(now->zero, 30);
	/* without use_zero_pages one zero page is kept, for each user when they do not share */
	exactly(now->saving, 3 * 19 + 2 * 20 + 29);
	exactly(now->saving_within_users, 3 * 19 + 20 + 28);
	assert_int_equal(r.target_count, 3);
	assert_int_equal(r.targets[1].pages, 100);
	assert_int_equal(r.targets[1].zero, 10);
	assert_int_equal(r.targets[1].mergeable, 50);
	assert_float_equal(r.targets[1].contents, 1 + 30 + 40, 1e-6);
	assert_float_equal(r.targets[2].shared, 30, 1e-6);
	assert_int_equal(r.pair_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_float_equal(r.pairs[i].pages, 30, 1e-6);
		assert_true(r.pairs[i].a < r.pairs[i].b);
	}
	ksm_estimate_free(e);

	o.use_zero_pages = true;
	e = estimate(&f, &o, &r);
	exactly(r.scopes[KSM_SCOPE_NOW].saving, 3 * 19 + 2 * 20 + 30);
	ksm_estimate_free(e);
}

static uint64_t one_content(size_t target, uint64_t page)
{
	return 7;
}

/* The kernel's rule: of N equal pages ceil(N / max_page_sharing) stay. */
static void test_max_page_sharing(void **state)
{
	static const struct {
		uint64_t pages;
		int64_t max;
		double saving;
	} cases[] = {
		{ 1, 256, 0 },	   { 2, 256, 1 },    { 256, 256, 255 }, { 257, 256, 255 },
		{ 258, 256, 256 }, { 512, 64, 504 }, { 7, 2, 3 },
	};

	for (size_t i = 0; i < KSM_ARRAY_SIZE(cases); i++) {
		struct fake f = { .targets = 1, .pages = cases[i].pages, .id = one_content };
		struct ksm_estimate_options o = defaults(SMALL_PAGE);
		struct ksm_estimate_result r;
		struct ksm_estimate *e;

		o.max_page_sharing = cases[i].max;
		e = estimate(&f, &o, &r);
		exactly(r.scopes[KSM_SCOPE_NOW].saving, cases[i].saving);
		ksm_estimate_free(e);
	}
}

static uint64_t same_in_both(size_t target, uint64_t page)
{
	return 1 + page;
}

/* Pages 0 to 9 of both processes are one frame each already. */
static struct ksm_page merged_info(size_t target, uint64_t page)
{
	return (struct ksm_page){ .flags = KSM_PAGE_MERGEABLE | (page < 10 ? KSM_PAGE_SHARED : 0),
				  .pfn = page < 10 ? 50 + page : 1000 * target + page };
}

static void test_already(void **state)
{
	struct fake f = { .targets = 2, .pages = 25, .id = same_in_both, .info = merged_info };
	struct ksm_estimate_options o = defaults(SMALL_PAGE);
	struct ksm_estimate_result r;
	struct ksm_estimate *e = estimate(&f, &o, &r);

	exactly(r.scopes[KSM_SCOPE_NOW].already, 10);
	exactly(r.scopes[KSM_SCOPE_NOW].saving, 15);
	exactly(r.scopes[KSM_SCOPE_ALL].across, 25);
	ksm_estimate_free(e);
}

static int stop_at_64(uint64_t pages, void *ctx)
{
	return pages >= 64 ? -ECANCELED : 0;
}

static void test_interrupted(void **state)
{
	struct fake f = { .targets = 2, .pages = 100, .id = same_in_both };
	struct ksm_estimate_options o = defaults(SMALL_PAGE);
	struct ksm_estimate_result r;
	struct ksm_estimate *e = ksm_estimate_new(&o);

	f.source = (struct ksm_page_source){ fake_target, fake_pages };
	f.page_size = SMALL_PAGE;
	f.data = calloc(KSM_BATCH_PAGES, SMALL_PAGE);
	assert_int_equal(ksm_estimate_run(e, &f.source, stop_at_64, NULL), -ECANCELED);
	assert_int_equal(ksm_estimate_finish(e, &r), 0);
	assert_int_equal(r.scopes[KSM_SCOPE_ALL].pages, 64);
	free(f.data);
	ksm_estimate_free(e);
}

static int fail_target(struct ksm_page_source *source, struct ksm_target *t)
{
	return -EIO;
}

static void test_source_fails(void **state)
{
	struct ksm_page_source source = { fail_target, fake_pages };
	struct ksm_estimate_options o = defaults(SMALL_PAGE);
	struct ksm_estimate *e = ksm_estimate_new(&o);

	assert_int_equal(ksm_estimate_run(e, &source, NULL, NULL), -EIO);
	ksm_estimate_free(e);
}

/*
 * Two processes of SAMPLE_PAGES: a fifth of the pages in pairs inside the process, a fifth the
 * same in both, the rest unique.
 */
#define SAMPLE_PAGES 1500000u
#define SAMPLE_INSIDE (2 * (SAMPLE_PAGES / 10))
#define SAMPLE_SAVING (SAMPLE_INSIDE + SAMPLE_PAGES / 5)

static uint64_t sample_id(size_t target, uint64_t page)
{
	uint64_t own = (uint64_t)(target + 1) << 32;

	if (page < SAMPLE_PAGES / 5)
		return own + page / 2;
	if (page < SAMPLE_PAGES / 5 * 2)
		return page;
	return own + page;
}

static uid_t sample_uid(size_t target)
{
	return (uid_t)target;
}

static bool holds(struct ksm_figure f, double truth)
{
	assert_true(f.low <= f.value && f.value <= f.high);
	return f.low <= truth && truth <= f.high;
}

static void test_sample(void **state)
{
	const double pages = 2.0 * SAMPLE_PAGES;
	unsigned int hits = 0, within = 0;

	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct fake f = {
			.targets = 2, .pages = SAMPLE_PAGES, .id = sample_id, .uid = sample_uid
		};
		struct ksm_estimate_options o = defaults(SMALL_PAGE);
		struct ksm_estimate_result r;
		struct ksm_estimate *e;
		struct ksm_figure saving;

		o.seed = seed;
		o.sample = 0.01;
		e = estimate(&f, &o, &r);
		saving = r.scopes[KSM_SCOPE_NOW].saving;
		assert_true(r.part == 0.01);
		assert_true(r.kept >= KSM_ESTIMATE_CONTENTS_MIN / 2);
		assert_true(r.kept <= 2 * KSM_ESTIMATE_CONTENTS_MIN);
		/* at most 2 % of the target either way */
		assert_true(saving.high - saving.value <= 0.02 * pages);
		assert_true(saving.value - saving.low <= 0.02 * pages);
		assert_true(saving.high - saving.low > 0.002 * pages);
		hits += holds(saving, SAMPLE_SAVING);
		within += holds(r.scopes[KSM_SCOPE_ALL].saving_within_users, SAMPLE_INSIDE);
		ksm_estimate_free(e);
	}
	print_message("the interval held the truth for %u and %u of 100 seeds\n", hits, within);
	assert_true(hits >= 90);
	assert_true(within >= 90);
}

/* A sample of little is not taken: fewer contents than it needs are all kept. */
static void test_sample_of_little(void **state)
{
	struct fake f = { .targets = 2, .pages = 10000, .id = same_in_both };
	struct ksm_estimate_options o = defaults(SMALL_PAGE);
	struct ksm_estimate_result r;
	struct ksm_estimate *e;

	o.sample = 0.01;
	e = estimate(&f, &o, &r);
	assert_true(r.part == 1.0);
	exactly(r.scopes[KSM_SCOPE_NOW].saving, 10000);
	ksm_estimate_free(e);
}

/* One content is most of the target: the interval knows the copies that it may have missed. */
static uint64_t heavy_id(size_t target, uint64_t page)
{
	return page % 10 ? 7 : 1000 + page;
}

static void test_sample_heavy(void **state)
{
	const uint64_t pages = 400000;
	const double truth = (double)(pages - pages / 10 - (pages / 10 * 9 + 255) / 256);
	unsigned int hits = 0;

	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct fake f = { .targets = 1, .pages = pages, .id = heavy_id };
		struct ksm_estimate_options o = defaults(SMALL_PAGE);
		struct ksm_estimate_result r;
		struct ksm_estimate *e;

		o.seed = seed;
		o.sample = 0.01;
		e = estimate(&f, &o, &r);
		assert_true(r.part < 1.0);
		hits += holds(r.scopes[KSM_SCOPE_NOW].saving, truth);
		ksm_estimate_free(e);
	}
	assert_true(hits >= 90);
}

/* Frames that several pages map, more of them than the set holds. */
static struct ksm_page forked_info(size_t target, uint64_t page)
{
	return (struct ksm_page){ .flags = KSM_PAGE_MERGEABLE | KSM_PAGE_SHARED, .pfn = page };
}

static void test_already_many(void **state)
{
	struct fake f = { .targets = 2, .pages = 500000, .id = same_in_both, .info = forked_info };
	struct ksm_estimate_options o = defaults(SMALL_PAGE);
	struct ksm_estimate_result r;
	struct ksm_estimate *e = estimate(&f, &o, &r);
	struct ksm_figure already = r.scopes[KSM_SCOPE_NOW].already;

	assert_true(holds(already, 500000));
	assert_true(already.high - already.low < 0.02 * 1000000);
	assert_true(holds(r.scopes[KSM_SCOPE_NOW].saving, 0));
	ksm_estimate_free(e);
}

/* 64 GiB in four processes: half unique, a quarter the same in all, a quarter zero. */
static uint64_t big_id(size_t target, uint64_t page)
{
	switch (page & 3) {
	case 0:
		return 0;
	case 1:
		return page;
	default:
		return ((uint64_t)(target + 1) << 40) + page;
	}
}

static void test_64_gib(void **state)
{
	const uint64_t pages = (16ull << 30) / 4096;
	const double truth = 4.0 * pages / 4 + 3.0 * pages / 4;
	struct fake f = { .targets = 4, .pages = pages, .id = big_id };
	struct ksm_estimate_options o = defaults(4096);
	struct ksm_estimate_result r;
	struct rusage usage;
	struct ksm_estimate *e = estimate(&f, &o, &r);

	assert_int_equal(r.scopes[KSM_SCOPE_ALL].pages, 4 * pages);
	assert_int_equal(r.scopes[KSM_SCOPE_ALL].zero, pages);
	/* more contents than the table may hold: it sampled by itself */
	assert_true(r.part < 1.0);
	assert_true(holds(r.scopes[KSM_SCOPE_ALL].saving, truth));
	assert_true(r.scopes[KSM_SCOPE_ALL].saving.high - r.scopes[KSM_SCOPE_ALL].saving.low <
		    0.04 * 4 * pages);
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	print_message("peak resident set %ld MiB\n", usage.ru_maxrss / 1024);
	assert_true(usage.ru_maxrss < 300 * 1024);
	ksm_estimate_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_max_page_sharing),
		cmocka_unit_test(test_already),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_source_fails),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_sample_of_little),
		cmocka_unit_test(test_sample_heavy),
		cmocka_unit_test(test_already_many),
		cmocka_unit_test(test_64_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
