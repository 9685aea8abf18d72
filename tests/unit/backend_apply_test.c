// SPDX-License-Identifier: GPL-2.0
/*
 * Writing knobs: nothing on a bad one, the right order, all put back when the kernel refuses.
 */
#include "unit/fake_tree.h"

#include <errno.h>

#include "lib/backend_priv.h"

#define K KSM_ABI_KERNEL_DIR "/"
#define E KSM_ABI_ENGINE_DIR "/"

#define MAX_SET 8

struct set {
	struct ksm_setting s[MAX_SET];
	unsigned int n;
};

static struct set parse(const char *words)
{
	char copy[256], *save = NULL;
	struct set set = { .n = 0 };
	struct ksm_error err = { 0 };

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (ksm_setting_parse(&set.s[set.n++], w, &err))
			fail_msg("%s", err.text);
	return set;
}

static int apply(const struct ksm_backend *b, const char *words, struct ksm_error *err)
{
	struct set set = parse(words);

	return ksm_backend_apply(b, set.s, set.n, err);
}

static void expect_usage(const char *word, const char *part)
{
	struct ksm_setting s;
	struct ksm_error err = { 0 };

	assert_int_equal(ksm_setting_parse(&s, word, &err), -EINVAL);
	assert_true(err.usage);
	if (!strstr(err.text, part))
		fail_msg("'%s' does not mention '%s'", err.text, part);
	assert_null(strchr(err.text, '\n'));
}

static void test_parse_refuses(void **state)
{
	expect_usage("run", "KNOB=VALUE");
	expect_usage("=1", "KNOB=VALUE");
	expect_usage("pages_to_scna=1", "did you mean 'pages_to_scan'");
	expect_usage("zzzzzzzzzzzzzz=1", "ksmctl get");
	expect_usage("pages_shared=1", "counter");
	expect_usage("run=3", "0 to 2");
	expect_usage("run=-1", "0 to 2");
	expect_usage("run=", "0 to 2");
	expect_usage("run= 1", "0 to 2");
	expect_usage("run=1x", "0 to 2");
	expect_usage("max_page_sharing=1", "2 to 2147483647");
	expect_usage("sleep_millisecs=4294967296", "0 to 4294967295");
	expect_usage("sleep_millisecs=99999999999999999999999", "0 to 4294967295");
	expect_usage("advisor_mode=[none]", "no word");
	expect_usage("advisor_mode=", "no word");
}

static void test_parse_takes(void **state)
{
	struct set set = parse("sleep_millisecs=007 advisor_mode=scan-time");

	assert_string_equal(set.s[0].text, "7");
	assert_int_equal(set.s[0].value, 7);
	assert_string_equal(set.s[1].text, "scan-time");
}

static void test_check_before_writing(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, false);
	b = tree_open();
	/* the second knob does not exist here: the first must stay */
	assert_int_equal(apply(&b, "pages_to_scan=5 smart_scan=1", &err), -ENOENT);
	assert_false(err.usage);
	assert_non_null(strstr(err.text, "6.12"));
	tree_expect(K "pages_to_scan", "100\n");

	assert_int_equal(apply(&b, "pages_to_scan=5 pages_to_scan=6", &err), -EINVAL);
	assert_non_null(strstr(err.text, "twice"));
	tree_expect(K "pages_to_scan", "100\n");

	tree_put(K "pages_shared", "8\n");
	assert_int_equal(apply(&b, "pages_to_scan=5 max_page_sharing=64", &err), -EBUSY);
	assert_non_null(strstr(err.text, "unmerge"));
	tree_expect(K "pages_to_scan", "100\n");
	/* its present value is no change */
	assert_int_equal(apply(&b, "pages_to_scan=5 max_page_sharing=256", &err), 0);
	tree_expect(K "pages_to_scan", "5\n");
}

static void test_words_and_advisor(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	b = tree_open();
	assert_int_equal(apply(&b, "advisor_mode=scan", &err), -EINVAL);
	assert_true(err.usage);
	assert_non_null(strstr(err.text, "[none] scan-time"));
	assert_int_equal(apply(&b, "pages_to_scan=5 advisor_mode=scan-time", &err), -EINVAL);
	tree_expect(K "advisor_mode", "[none] scan-time\n");

	/* given in the wrong order, written in the right one */
	assert_int_equal(apply(&b, "advisor_mode=scan-time advisor_min_pages_to_scan=700", &err),
			 0);
	tree_expect(K "advisor_mode", "none [scan-time]\n");
	tree_expect(K "pages_to_scan", "700\n");
	assert_int_equal(apply(&b, "pages_to_scan=5", &err), -EINVAL);
	assert_non_null(strstr(err.text, "advisor_mode=none"));
	assert_int_equal(apply(&b, "pages_to_scan=5 advisor_mode=none", &err), 0);
	tree_expect(K "advisor_mode", "[none] scan-time\n");
	tree_expect(K "pages_to_scan", "5\n");
}

static void test_the_other_engine_owns(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	b = tree_open();
	tree_ksm(KSM_ABI_ENGINE_DIR, false);
	tree_put(E "run", "1\n");
	tree_put(E "pages_shared", "42\n");
	assert_int_equal(apply(&b, "sleep_millisecs=1 run=1", &err), -EBUSY);
	assert_non_null(strstr(err.text, "the engine runs with 42 merged pages"));
	assert_non_null(strstr(err.text, "ksmctl --backend engine unmerge"));
	tree_expect(K "sleep_millisecs", "20\n");
	tree_put(E "run", "0\n");
	assert_int_equal(apply(&b, "run=1", &err), -EBUSY);
	assert_non_null(strstr(err.text, "stopped but holds 42 merged pages"));
	tree_put(E "pages_shared", "0\n");
	assert_int_equal(apply(&b, "run=1", &err), 0);
	tree_expect(K "run", "1\n");
}

/* A kernel that refuses certain writes ("name=value ", blank-separated), and keeps a log. */
struct refuser {
	const char *refuse;
	int code;
	char log[512];
};

static int refusing_write(const struct ksm_io *io, const char *path, const char *text)
{
	struct refuser *r = io->ctx;
	size_t len = strlen(r->log);
	char entry[80];

	snprintf(entry, sizeof(entry), "%s=%s ", strrchr(path, '/') + 1, text);
	snprintf(r->log + len, sizeof(r->log) - len, "%s", entry);
	return strstr(r->refuse, entry) ? r->code : ksm_io_write_plain(io, path, text);
}

/* A machine with that kernel, where somebody has set pages_to_scan. */
static struct ksm_backend refusing_machine(struct refuser *r)
{
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	tree_put(K "pages_to_scan", "321\n");
	b = tree_open();
	b.io.write = refusing_write;
	b.io.ctx = r;
	return b;
}

static void test_rolls_back(void **state)
{
	struct refuser r = { .refuse = "run=1 ", .code = -EBUSY };
	struct ksm_backend b = refusing_machine(&r);
	struct ksm_error err = { 0 };

	assert_int_equal(apply(&b, "run=1 sleep_millisecs=5 smart_scan=0", &err), -EBUSY);
	assert_string_equal(r.log, "sleep_millisecs=5 smart_scan=0 run=1 "
				   "sleep_millisecs=20 smart_scan=1 ");
	tree_expect(K "sleep_millisecs", "20\n");
	tree_expect(K "smart_scan", "1\n");
	tree_expect(K "run", "0\n");
	assert_non_null(strstr(err.text, "run=1 refused"));
	assert_non_null(strstr(err.text, "put back"));
}

static void test_rolls_back_the_advisor(void **state)
{
	struct refuser r = { .refuse = "smart_scan=0 ", .code = -EIO };
	struct ksm_backend b = refusing_machine(&r);
	struct ksm_error err = { 0 };

	assert_int_equal(apply(&b, "smart_scan=0 advisor_mode=scan-time", &err), -EIO);
	/* switching back resets pages_to_scan in a real kernel: it is written again, last */
	assert_string_equal(r.log, "advisor_mode=scan-time smart_scan=0 advisor_mode=none "
				   "pages_to_scan=321 ");
}

static void test_says_what_is_stuck(void **state)
{
	struct refuser r = { .refuse = "run=1 sleep_millisecs=20 ", .code = -EIO };
	struct ksm_backend b = refusing_machine(&r);
	struct ksm_error err = { 0 };

	assert_int_equal(apply(&b, "sleep_millisecs=9 run=1 smart_scan=0", &err), -EIO);
	assert_non_null(strstr(err.text, "run=1 refused: Input/output error"));
	assert_non_null(strstr(err.text, "could not put back: sleep_millisecs"));
	/* what can be put back is, all the same */
	tree_expect(K "smart_scan", "1\n");
}

static void test_says_how_to_try_an_untested_kernel(void **state)
{
	struct refuser r = { .refuse = "run=1 ", .code = -EOPNOTSUPP };
	struct ksm_backend b = refusing_machine(&r);
	struct ksm_error err = { 0 };

	assert_int_equal(apply(&b, "run=1", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "run=1 refused: the engine was never tested"));
	assert_non_null(strstr(err.text, "untested=1'"));
	tree_expect(K "run", "0\n");
}

static void test_merge_domain_is_the_engines(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	b = tree_open();
	assert_int_equal(apply(&b, "merge_domain=uid", &err), -ENOENT);
	assert_string_equal(err.text, "merge_domain: the in-tree KSM has no such file (the engine "
				      "has it)");

	tree_ksm(KSM_ABI_ENGINE_DIR, true);
	tree_put(E "run", "1\n");
	b = tree_open();
	assert_int_equal(apply(&b, "merge_domain=user", &err), -EINVAL);
	assert_string_equal(err.text, "merge_domain: 'user' is not one of: [all] uid cgroup");
	assert_int_equal(apply(&b, "merge_domain=cgroup", &err), 0);
	tree_expect(E "merge_domain", "all uid [cgroup]\n");

	/* While pages are merged it stays what it is, which one may say. */
	tree_put(E "pages_shared", "1\n");
	assert_int_equal(apply(&b, "merge_domain=cgroup", &err), 0);
	assert_int_equal(apply(&b, "merge_domain=all", &err), -EBUSY);
	assert_non_null(strstr(err.text, "merge_domain cannot change while 1 KSM pages exist"));
	tree_expect(E "merge_domain", "all uid [cgroup]\n");
	tree_put(E "pages_shared", "0\n");
	assert_int_equal(apply(&b, "merge_domain=all", &err), 0);
	tree_expect(E "merge_domain", "[all] uid cgroup\n");
}

/* Names and values of all knobs, in one text. */
static void knobs_of(const struct ksm_backend *b, char *text, size_t size)
{
	struct ksm_counters_snapshot s;
	char word[KSM_WORD_MAX];
	size_t len = 0;

	assert_int_equal(ksm_backend_read(b, &s, NULL), 0);
	ksm_snapshot_word(&s, KSM_ABI_ADVISOR_MODE, word, sizeof(word));
	for (unsigned int i = 0; i < ksm_knob_count; i++)
		len += (size_t)snprintf(text + len, size - len, "%s=%lld ", ksm_knobs[i].name,
					(long long)s.value[ksm_knobs[i].id]);
	snprintf(text + len, size - len, "%s", word);
}

/* The n-th write fails, whichever it is; the others are answered as a kernel does. */
struct failer {
	unsigned int writes;
	unsigned int fail_at;
};

static int failing_write(const struct ksm_io *io, const char *path, const char *text)
{
	struct failer *f = io->ctx;

	return f->writes++ == f->fail_at ? -EIO : ksm_fake_write(io, path, text);
}

static void fails_at_each_position(const char *words, unsigned int count)
{
	char before[2048], after[2048];
	struct ksm_backend b;

	for (unsigned int at = 0; at <= count; at++) {
		struct failer f = { .fail_at = at };
		struct ksm_error err = { 0 };
		int ret;

		tree_ksm(KSM_ABI_KERNEL_DIR, true);
		tree_put(K "pages_to_scan", "321\n");
		b = tree_open();
		b.io.write = failing_write;
		b.io.ctx = &f;
		knobs_of(&b, before, sizeof(before));
		ret = apply(&b, words, &err);
		knobs_of(&b, after, sizeof(after));
		if (at == count) { /* no write failed: the positions above were all there are */
			assert_int_equal(ret, 0);
			assert_int_equal(f.writes, count);
			assert_string_not_equal(after, before);
			continue;
		}
		assert_int_equal(ret, -EIO);
		assert_string_equal(after, before);
		assert_non_null(strstr(err.text, "refused: Input/output error"));
		assert_int_equal(!!strstr(err.text, "put back"), at > 0);
	}
}

static void test_fails_at_each_position(void **state)
{
	fails_at_each_position("run=1", 1);
	fails_at_each_position("run=1 sleep_millisecs=5 use_zero_pages=1 max_page_sharing=9", 4);
	fails_at_each_position("run=1 advisor_mode=scan-time advisor_max_cpu=50 smart_scan=0 "
			       "merge_across_nodes=0 stable_node_chains_prune_millisecs=1",
			       6);
	fails_at_each_position("pages_to_scan=5 sleep_millisecs=5 advisor_target_scan_time=9", 3);
}

/* From the advisor to a number and back: the number written comes last both ways. */
static void test_fails_at_each_position_under_the_advisor(void **state)
{
	for (unsigned int at = 0; at < 4; at++) {
		struct failer f = { .fail_at = at };
		struct ksm_error err = { 0 };
		struct ksm_backend b;

		tree_ksm(KSM_ABI_KERNEL_DIR, true);
		b = tree_open();
		assert_int_equal(apply(&b, "advisor_mode=scan-time sleep_millisecs=9", &err), 0);
		b.io.write = failing_write;
		b.io.ctx = &f;
		assert_int_equal(apply(&b,
				       "run=1 pages_to_scan=5 advisor_mode=none "
				       "sleep_millisecs=1",
				       &err),
				 -EIO);
		tree_expect(K "advisor_mode", "none [scan-time]\n");
		tree_expect(K "sleep_millisecs", "9\n");
		tree_expect(K "run", "0\n");
		tree_expect(K "pages_to_scan", "500\n");
	}
}

static void test_unmerge_of_a_fake(void **state)
{
	struct ksm_error err = { 0 };
	struct ksm_backend b;

	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	tree_put(K "pages_shared", "4\n");
	tree_put(K "pages_sharing", "9\n");
	b = tree_open();
	assert_int_equal(apply(&b, "run=2", &err), 0);
	tree_expect(K "run", "2\n");
	tree_expect(K "pages_shared", "0\n");
	tree_expect(K "pages_sharing", "0\n");
}

#define TREE(f) cmocka_unit_test_setup_teardown(f, tree_new, tree_delete)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_takes),
		TREE(test_check_before_writing),
		TREE(test_words_and_advisor),
		TREE(test_the_other_engine_owns),
		TREE(test_rolls_back),
		TREE(test_rolls_back_the_advisor),
		TREE(test_says_what_is_stuck),
		TREE(test_says_how_to_try_an_untested_kernel),
		TREE(test_merge_domain_is_the_engines),
		TREE(test_fails_at_each_position),
		TREE(test_fails_at_each_position_under_the_advisor),
		TREE(test_unmerge_of_a_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
