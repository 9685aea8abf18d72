// SPDX-License-Identifier: GPL-2.0
/*
 * Choosing, reading and writing a backend, over a tree of files.
 */
#include "unit/fake_tree.h"

#include <errno.h>

#define K KSM_ABI_KERNEL_DIR "/"
#define E KSM_ABI_ENGINE_DIR "/"

static int open_spec(struct ksm_backend *b, const char *prefix, struct ksm_error *err)
{
	char spec[PATH_MAX];

	snprintf(spec, sizeof(spec), "%s%s", prefix, tree_root);
	return ksm_backend_open(b, spec, err);
}

static void test_auto_takes_who_owns(void **state)
{
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	b = tree_open();
	assert_int_equal(b.kind, KSM_BACKEND_KERNEL);
	assert_true(b.fake);

	tree_ksm(KSM_ABI_ENGINE_DIR, false);
	assert_int_equal(tree_open().kind, KSM_BACKEND_KERNEL);
	tree_put(E "pages_shared", "3\n");
	assert_int_equal(tree_open().kind, KSM_BACKEND_ENGINE);
	tree_put(K "run", "1\n");
	assert_int_equal(tree_open().kind, KSM_BACKEND_KERNEL);
	tree_put(E "pages_shared", "0\n");
	tree_put(E "run", "1\n");
	tree_put(K "run", "0\n");
	assert_int_equal(tree_open().kind, KSM_BACKEND_ENGINE);
	tree_put(K "ksm_zero_pages", "9\n");
	assert_int_equal(tree_open().kind, KSM_BACKEND_KERNEL);
}

static void test_explicit_kinds_use_the_root_variable(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	setenv(KSM_IO_ROOT_ENV, tree_root, 1);
	assert_int_equal(ksm_backend_open(&b, "kernel", &err), -ENOENT);
	assert_non_null(strstr(err.text, "CONFIG_KSM"));
	assert_false(err.usage);
	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	assert_int_equal(ksm_backend_open(&b, "kernel", &err), 0);
	assert_string_equal(b.name, "kernel");
	assert_int_equal(ksm_backend_open(&b, "engine", &err), -ENOENT);
	assert_non_null(strstr(err.text, "modprobe ksm_engine"));
	tree_ksm(KSM_ABI_ENGINE_DIR, false);
	assert_int_equal(ksm_backend_open(&b, "engine", &err), 0);
	assert_string_equal(b.thread, KSM_ABI_ENGINE_THREAD);
	unsetenv(KSM_IO_ROOT_ENV);
}

static void test_bad_specs(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	assert_int_equal(ksm_backend_open(&b, "kernle", &err), -EINVAL);
	assert_true(err.usage);
	assert_non_null(strstr(err.text, "kernle"));
	assert_non_null(strstr(err.text, KSM_BACKEND_SPECS));
	assert_int_equal(ksm_backend_open(&b, "fake:", &err), -EINVAL);
	assert_true(err.usage);
	assert_int_equal(ksm_backend_open(&b, "fake:/nonexistent/tree", &err), -EINVAL);
	assert_int_equal(open_spec(&b, "fake:", &err), -ENOENT);
}

static void test_read_marks_what_is_there(void **state)
{
	struct ksm_counters_snapshot s;
	struct ksm_backend b;
	char word[16];

	tree_ksm(KSM_ABI_KERNEL_DIR, false);
	tree_put(K "pages_sharing", "12345\n");
	b = tree_open();
	assert_int_equal(ksm_backend_read(&b, &s, NULL), 0);
	assert_true(ksm_snapshot_has(&s, KSM_ABI_PAGES_SHARING));
	assert_int_equal(ksm_snapshot_get(&s, KSM_ABI_PAGES_SHARING), 12345);
	assert_false(ksm_snapshot_has(&s, KSM_ABI_GENERAL_PROFIT));
	assert_false(ksm_snapshot_has(&s, KSM_ABI_ADVISOR_MODE));
	assert_int_equal(__builtin_popcountll(s.present), 14);
	assert_true(s.time > 0);

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	tree_put(K "general_profit", "-77\n");
	tree_put(K "advisor_mode", "none [scan-time]\n");
	assert_int_equal(ksm_backend_read(&b, &s, NULL), 0);
	assert_int_equal(__builtin_popcountll(s.present), 24);
	assert_int_equal(ksm_snapshot_get(&s, KSM_ABI_GENERAL_PROFIT), -77);
	assert_int_equal(ksm_snapshot_get(&s, KSM_ABI_ADVISOR_MODE), 1);
	ksm_snapshot_word(&s, KSM_ABI_ADVISOR_MODE, word, sizeof(word));
	assert_string_equal(word, "scan-time");
}

static void test_read_rejects_what_is_no_number(void **state)
{
	static const char *const bad[] = { "",	   "\n",    "12x\n",
					   "-4\n", "1 2\n", "99999999999999999999999\n" };
	struct ksm_counters_snapshot s;
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	b = tree_open();
	for (size_t i = 0; i < KSM_ARRAY_SIZE(bad); i++) {
		tree_put(K "pages_shared", bad[i]);
		assert_int_equal(ksm_backend_read(&b, &s, &err), -EPROTO);
		assert_non_null(strstr(err.text, "pages_shared"));
	}
}

static void test_read_after_unload(void **state)
{
	struct ksm_counters_snapshot s;
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	tree_put(E "run", "1\n");
	b = tree_open();
	assert_int_equal(ksm_backend_read(&b, &s, &err), 0);
	tree_drop(E "run");
	assert_int_equal(ksm_backend_read(&b, &s, &err), -ENOENT);
	assert_non_null(strstr(err.text, "not loaded"));
}

static void test_derive(void **state)
{
	struct ksm_counters_snapshot s = { 0 };
	int64_t page = ksm_page_size();
	struct ksm_derived d;

	s.present = 1ull << KSM_ABI_PAGES_SHARED | 1ull << KSM_ABI_PAGES_SHARING |
		    1ull << KSM_ABI_PAGES_UNSHARED | 1ull << KSM_ABI_PAGES_VOLATILE;
	s.value[KSM_ABI_PAGES_SHARED] = 10;
	s.value[KSM_ABI_PAGES_SHARING] = 100;
	s.value[KSM_ABI_PAGES_UNSHARED] = 1000;
	s.value[KSM_ABI_PAGES_VOLATILE] = 10000;
	s.value[KSM_ABI_GENERAL_PROFIT] = 5; /* not present: must not be looked at */
	ksm_derive(&s, &d);
	assert_int_equal(d.saved_pages, 100);
	assert_int_equal(d.saved_bytes, 100 * page);
	assert_int_equal(d.metadata_bytes, 11110 * 64);
	assert_int_equal(d.profit_bytes, 100 * page - 11110 * 64);
	assert_false(d.profit_exact);

	s.present |= 1ull << KSM_ABI_GENERAL_PROFIT | 1ull << KSM_ABI_KSM_ZERO_PAGES;
	s.value[KSM_ABI_KSM_ZERO_PAGES] = 7;
	s.value[KSM_ABI_GENERAL_PROFIT] = -50;
	ksm_derive(&s, &d);
	assert_int_equal(d.saved_pages, 107);
	assert_int_equal(d.profit_bytes, -50);
	assert_int_equal(d.metadata_bytes, 107 * page + 50);
	assert_true(d.profit_exact);
}

static void test_rate(void **state)
{
	assert_true(ksm_rate(100, 300, 500000000) == 400.0);
	assert_true(ksm_rate(100, 300, 0) == 0.0);
	assert_true(ksm_rate(300, 100, 1000) == 0.0);
}

static bool feed(struct ksm_settle *st, int64_t scans, int64_t sharing)
{
	struct ksm_counters_snapshot s = { 0 };

	s.present = 1ull << KSM_ABI_FULL_SCANS | 1ull << KSM_ABI_PAGES_SHARING;
	s.value[KSM_ABI_FULL_SCANS] = scans;
	s.value[KSM_ABI_PAGES_SHARING] = sharing;
	return ksm_settle_feed(st, &s);
}

static void test_settle(void **state)
{
	struct ksm_settle st = { 0 };

	assert_false(feed(&st, 5, 0));
	assert_false(feed(&st, 5, 0)); /* no scan has passed */
	assert_false(feed(&st, 6, 0)); /* the first scan merges nothing */
	assert_false(feed(&st, 7, 1000));
	assert_false(feed(&st, 8, 1060));  /* 5.7 % */
	assert_false(feed(&st, 9, 1100));  /* 3.6 % */
	assert_false(feed(&st, 9, 2000));  /* within a scan nothing is judged */
	assert_false(feed(&st, 10, 1500)); /* 27 %: starts over */
	assert_false(feed(&st, 11, 1520));
	assert_true(feed(&st, 12, 1490));
	assert_true(feed(&st, 12, 1490));
	assert_false(feed(&st, 0, 0)); /* reloaded */
	assert_false(feed(&st, 1, 0));
	assert_true(feed(&st, 2, 0)); /* nothing to merge is settled, too */
}

static void test_scanner(void **state)
{
	struct ksm_scanner s;
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	b = tree_open();
	assert_int_equal(ksm_scanner_read(&b, &s), -ENOENT); /* no /proc at all */
	/* a program that calls itself ksmd is not the scanner */
	tree_put("/proc/30/stat", "30 (ksmd) S 1 30 30 0\n");
	tree_put("/proc/30/schedstat", "1 1 1\n");
	assert_int_equal(ksm_scanner_read(&b, &s), -ESRCH);
	tree_put("/proc/37/stat", "37 (ksmd) S 2 0 0 0\n");
	tree_put("/proc/37/schedstat", "123456789 987 55\n");
	tree_put("/proc/38/stat", "38 (ksm) d) S 2 0 0 0\n");
	assert_int_equal(ksm_scanner_read(&b, &s), 0);
	assert_int_equal(s.pid, 37);
	assert_int_equal(s.runtime, 123456789);
	assert_int_equal(s.waited, 987);
	/* reloaded: another pid, while the old one is somebody else now */
	tree_put("/proc/37/stat", "37 (bash) S 1 0 0 0\n");
	tree_put("/proc/40/stat", "40 (ksmd) S 2 0 0 0\n");
	assert_int_equal(ksm_scanner_read(&b, &s), -ENOENT); /* no schedstat */
	tree_put("/proc/40/schedstat", "5 6 7\n");
	assert_int_equal(ksm_scanner_read(&b, &s), 0);
	assert_int_equal(s.pid, 40);
	tree_put("/proc/40/schedstat", "nonsense\n");
	assert_int_equal(ksm_scanner_read(&b, &s), -EPROTO);
}

#define TREE(f) cmocka_unit_test_setup_teardown(f, tree_new, tree_delete)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE(test_auto_takes_who_owns),
		TREE(test_explicit_kinds_use_the_root_variable),
		TREE(test_bad_specs),
		TREE(test_read_marks_what_is_there),
		TREE(test_read_rejects_what_is_no_number),
		TREE(test_read_after_unload),
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_settle),
		TREE(test_scanner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
