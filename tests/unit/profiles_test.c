// SPDX-License-Identifier: GPL-2.0
/*
 * Profiles: every point within its range, whatever the host; files of the administrator's, good,
 * bad and torn.
 */
#include "unit/fake_tree.h"

#include <errno.h>

#include "lib/conf.h"
#include "lib/profiles.h"

#define GIB (1ull << 30)

static struct ksm_counters_snapshot every_file(void)
{
	struct ksm_counters_snapshot s = { 0 };

	for (unsigned int i = 0; i < ksm_knob_count; i++)
		s.present |= 1ull << ksm_knobs[i].id;
	ksm_copy(s.word[KSM_ABI_ADVISOR_MODE], KSM_WORD_MAX, "[none] scan-time");
	return s;
}

static const struct ksm_profile *builtin(const char *name)
{
	for (unsigned int i = 0; i < ksm_profile_count; i++)
		if (!strcmp(ksm_profiles[i].name, name))
			return &ksm_profiles[i];
	fail_msg("no profile %s", name);
	return NULL;
}

static int64_t chosen(const struct ksm_profile_point *point, unsigned int id)
{
	for (unsigned int i = 0; i < point->count; i++)
		if (point->set[i].knob->id == id)
			return point->set[i].value;
	fail_msg("knob %u is not set", id);
	return -1;
}

static struct ksm_profile_point choose(const char *name, unsigned int cores, uint64_t mergeable)
{
	struct ksm_host host = { .cores = cores, .mergeable = mergeable, .known = true };
	struct ksm_counters_snapshot s = every_file();
	struct ksm_profile_point point;

	ksm_profile_choose(builtin(name), &host, &s, &point);
	return point;
}

/* The ranges that are documented, and that the table must not drift from. */
static void test_documented_ranges(void **state)
{
	static const struct {
		const char *name;
		int64_t pages[2], sleep[2];
	} want[] = {
		{ "virtualization", { 100, 500 }, { 20, 100 } },
		{ "container", { 50, 200 }, { 50, 200 } },
		{ "server", { 20, 50 }, { 100, 500 } },
		{ "aggressive", { 1000, 1000 }, { 10, 10 } },
	};

	for (size_t i = 0; i < KSM_ARRAY_SIZE(want); i++) {
		struct ksm_profile_point slow = choose(want[i].name, 1, 0);
		struct ksm_profile_point quick = choose(want[i].name, 64, 4096 * GIB);

		assert_int_equal(chosen(&slow, KSM_ABI_PAGES_TO_SCAN), want[i].pages[0]);
		assert_int_equal(chosen(&quick, KSM_ABI_PAGES_TO_SCAN), want[i].pages[1]);
		assert_int_equal(chosen(&slow, KSM_ABI_SLEEP_MILLISECS), want[i].sleep[1]);
		assert_int_equal(chosen(&quick, KSM_ABI_SLEEP_MILLISECS), want[i].sleep[0]);
		assert_int_equal(chosen(&slow, KSM_ABI_RUN), 1);
	}
}

static void test_always_within_its_range(void **state)
{
	struct ksm_counters_snapshot s = every_file();
	struct ksm_profile_point point;

	for (unsigned int i = 0; i < ksm_profile_count; i++) {
		const struct ksm_profile *p = &ksm_profiles[i];

		for (unsigned int cores = 1; cores < 300; cores = cores * 3 / 2 + 1) {
			for (uint64_t bytes = 0; bytes < 1ull << 60; bytes = bytes * 3 + 4096) {
				struct ksm_host host = { cores, bytes, bytes & 1 };

				ksm_profile_choose(p, &host, &s, &point);
				assert_int_equal(point.count, p->count);
				for (unsigned int k = 0; k < p->count; k++) {
					assert_true(point.set[k].value >= p->items[k].lo);
					assert_true(point.set[k].value <= p->items[k].hi);
				}
			}
		}
	}
}

static void test_explains(void **state)
{
	struct ksm_profile_point point = choose("virtualization", 4, 4 * GIB);

	assert_int_equal(chosen(&point, KSM_ABI_SLEEP_MILLISECS), 60);
	assert_int_equal(chosen(&point, KSM_ABI_PAGES_TO_SCAN), 315);
	assert_non_null(strstr(point.why_sleep, "20 to 100"));
	assert_non_null(strstr(point.why_sleep, "here 4"));
	assert_non_null(strstr(point.why_pages, "4.0 GiB mergeable"));
	assert_non_null(strstr(point.why_pages, "3 min 19 s (the aim)"));
	point = choose("virtualization", 4, 400 * GIB);
	assert_non_null(strstr(point.why_pages, "the range ends here"));
	point = choose("virtualization", 4, 4096);
	assert_non_null(strstr(point.why_pages, "the range begins here"));
}

/* Nothing but zeroes where the engine can; elsewhere that it is not so is said. */
static void test_zero_pages_only(void **state)
{
	struct ksm_profile_point point = choose("zero-pages-only", 4, GIB);
	struct ksm_counters_snapshot s = every_file();
	struct ksm_host host = { .cores = 4 };

	assert_int_equal(chosen(&point, KSM_ABI_ZERO_PAGES_ONLY), 1);
	assert_int_equal(chosen(&point, KSM_ABI_USE_ZERO_PAGES), 1);
	assert_string_equal(point.caveat, "");
	point = choose("container", 4, GIB);
	assert_int_equal(chosen(&point, KSM_ABI_ZERO_PAGES_ONLY), 0);
	s.present &= ~(1ull << KSM_ABI_ZERO_PAGES_ONLY);
	ksm_profile_choose(builtin("zero-pages-only"), &host, &s, &point);
	assert_string_equal(point.left_out, "zero_pages_only");
	assert_non_null(strstr(point.caveat, "our engine can"));
	ksm_profile_choose(builtin("container"), &host, &s, &point);
	assert_string_equal(point.left_out, "");
	assert_string_equal(point.caveat, "");
}

static void test_leaves_out_what_is_not_there(void **state)
{
	struct ksm_counters_snapshot s = every_file();
	struct ksm_host host = { .cores = 1 };
	struct ksm_profile_point point;

	s.present &= ~(1ull << KSM_ABI_SMART_SCAN | 1ull << KSM_ABI_ADVISOR_MODE);
	ksm_profile_choose(builtin("server"), &host, &s, &point);
	assert_string_equal(point.left_out, "advisor_mode smart_scan");
	assert_int_equal(point.count, 4);
	assert_non_null(strstr(point.why_pages, "run as root"));
}

static void test_host(void **state)
{
	struct ksm_counters_snapshot s = every_file();
	struct ksm_backend b;
	struct ksm_host host;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	b = tree_open();
	tree_put("/proc/stat", "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\ncpu12 4 5 6\nintr 5\n");
	tree_put("/proc/7/comm", "vm\n");
	tree_put("/proc/7/ksm_stat", "ksm_rmap_items 1\n");
	tree_put("/proc/7/smaps", "7f00-7f01 rw-p\nSize: 1024 kB\nVmFlags: rd wr mg\n"
				  "7f02-7f03 rw-p\nSize: 512 kB\nVmFlags: rd wr\n");
	ksm_host_read(&b.io, &s, &host);
	assert_int_equal(host.cores, 3);
	assert_int_equal(host.mergeable, 1024 * 1024);
	assert_true(host.known);
	s.value[KSM_ABI_PAGES_UNSHARED] = 1000;
	ksm_host_read(&b.io, &s, &host);
	assert_int_equal(host.mergeable, 1000 * ksm_page_size());
}

static int parse(struct ksm_profile *p, const char *text, struct ksm_error *err)
{
	return ksm_profile_parse(p, KSM_PROFILE_DIR "/mine.conf", text, strlen(text), err);
}

static void test_own(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_profile p;

	assert_int_equal(parse(&p,
			       "# mine\n\n summary = for # my hosts\nrun=1\r\n"
			       "pages_to_scan = 10-20 # a range\nadvisor_mode=none\n"
			       "sleep_millisecs=7",
			       &err),
			 0);
	assert_string_equal(p.name, "mine");
	assert_string_equal(p.summary, "for");
	assert_true(p.own);
	assert_int_equal(p.count, 4);
	assert_int_equal(p.items[1].lo, 10);
	assert_int_equal(p.items[1].hi, 20);
	assert_string_equal(p.items[2].word, "none");
	assert_int_equal(p.items[3].lo, 7);
	assert_int_equal(p.items[3].hi, 7);
}

static void expect_bad(const char *text, const char *part)
{
	struct ksm_error err = { 0 };
	struct ksm_profile p;

	assert_true(parse(&p, text, &err) < 0);
	if (!strstr(err.text, part))
		fail_msg("'%s' does not mention '%s'", err.text, part);
	assert_non_null(strstr(err.text, KSM_PROFILE_DIR "/mine.conf"));
	assert_null(strchr(err.text, '\n'));
	assert_false(err.usage);
}

static void test_own_bad(void **state)
{
	char text[400];

	expect_bad("", "sets no knob");
	expect_bad("run=1\nnonsense\n", "mine.conf:2: not a 'key = value' line");
	expect_bad("=1\n", "mine.conf:1: not");
	expect_bad("run=1\n\nrnu=1\n", "mine.conf:3: unknown knob 'rnu'; did you mean 'run'?");
	expect_bad("pages_shared=1\n", "mine.conf:1: pages_shared is a counter");
	expect_bad("run=3\n", "0 to 2");
	expect_bad("run=0-1\n", "mine.conf:1: run takes one value");
	expect_bad("pages_to_scan=20-10\n", "ends before it begins");
	expect_bad("pages_to_scan=1-\n", "no number");
	expect_bad("sleep_millisecs=-5\n", "no number");
	expect_bad("run=1\nrun=1\n", "mine.conf:2: run is given twice");
	expect_bad("advisor_mode=a b\n", "no word");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_bad(text, "mine.conf:1: the line is too long");
}

static unsigned int seen_bad, seen;

static void count(const struct ksm_profile *p, const struct ksm_error *bad, void *ctx)
{
	seen++;
	seen_bad += !!bad;
}

static void test_find_and_list(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_backend b;
	struct ksm_profile p;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	b = tree_open();
	assert_int_equal(ksm_profile_find(&b.io, "server", &p, &err), 0);
	assert_false(p.own);
	assert_int_equal(ksm_profile_find(&b.io, "sever", &p, &err), -ENOENT);
	assert_non_null(strstr(err.text, "did you mean 'server'"));
	assert_true(err.usage);
	assert_int_equal(ksm_profile_find(&b.io, "../../etc/passwd", &p, &err), -ENOENT);
	tree_put(KSM_PROFILE_DIR "/server.conf", "run = 0\n");
	tree_put(KSM_PROFILE_DIR "/a.conf", "run = 9\n");
	tree_put(KSM_PROFILE_DIR "/bad name.conf", "run = 1\n");
	tree_put(KSM_PROFILE_DIR "/ignored.conf~", "nonsense\n");
	assert_int_equal(ksm_profile_find(&b.io, "server", &p, &err), 0);
	assert_true(p.own);
	seen = seen_bad = 0;
	assert_int_equal(ksm_profile_each(&b.io, count, NULL), 0);
	assert_int_equal(seen, ksm_profile_count + 2);
	assert_int_equal(seen_bad, 2);
}

/* Torn and random files: an answer, a line in it, and no byte read that is not there. */
static void test_random_files(void **state)
{
	static const char good[] = "# mine\nsummary = x\nrun = 1\npages_to_scan = 10-20\n"
				   "advisor_mode = none\nsleep_millisecs = 5 # c\n";
	unsigned int seed = 1, refused = 0;

	for (unsigned int round = 0; round < 20000; round++) {
		size_t len = sizeof(good) - 1;
		struct ksm_error err = { 0 };
		struct ksm_profile p;
		char *text;

		seed = seed * 1103515245 + 12345;
		if (round & 1)
			len = (seed >> 8) % len;
		text = malloc(len + 1); /* exact: a sanitizer sees the first byte too far */
		assert_non_null(text);
		memcpy(text, good, len);
		for (unsigned int i = 0; len && i < 1 + round % 4; i++) {
			seed = seed * 1103515245 + 12345;
			text[(seed >> 8) % len] = (char)(seed >> 24);
		}
		if (ksm_profile_parse(&p, "f.conf", text, len, &err)) {
			refused++;
			assert_int_equal(strncmp(err.text, "f.conf", 6), 0);
		} else {
			assert_in_range(p.count, 1, KSM_PROFILE_ITEMS);
			assert_null(memchr(p.summary, '\n', strlen(p.summary)));
		}
		free(text);
	}
	assert_in_range(refused, 1000, 19999);
}

#define TREE(f) cmocka_unit_test_setup_teardown(f, tree_new, tree_delete)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documented_ranges),
		cmocka_unit_test(test_always_within_its_range),
		cmocka_unit_test(test_explains),
		cmocka_unit_test(test_zero_pages_only),
		cmocka_unit_test(test_leaves_out_what_is_not_there),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_own_bad),
		cmocka_unit_test(test_random_files),
		TREE(test_host),
		TREE(test_find_and_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
