// SPDX-License-Identifier: GPL-2.0
/*
 * Choosing processes, and what their smaps say of their memory.
 */
#include "unit/fake_tree.h"

#include <errno.h>

#include "lib/pagemap.h"
#include "lib/select.h"

static struct ksm_io io;
static struct ksm_selected_list list;

static void process(int pid, const char *comm, int uid, int anon_kib, const char *cgroup)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	snprintf(text, sizeof(text), "%s\n", comm);
	tree_put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	snprintf(text, sizeof(text), "Name:\t%s\nUid:\t0\t%d\t0\t0\n", comm, uid);
	if (anon_kib >= 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "RssAnon:\t%d kB\n",
			 anon_kib);
	tree_put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	tree_put(path, text);
}

static int setup(void **state)
{
	if (tree_new(state) || ksm_io_init(&io, tree_root))
		return -1;
	process(2, "kthreadd", 0, -1, "/");
	process(30, "web-1", 1000, 400, "/a/b");
	process(31, "web-2", 0, 8, "/a/bc");
	process(32, "db with blanks", 1000, 0, "/a/b/c");
	process(1, "init", 0, 100, "/");
	return 0;
}

static int teardown(void **state)
{
	ksm_selected_free(&list);
	return tree_delete(state);
}

static void expect(const struct ksm_selection *s, size_t count, const pid_t *pids)
{
	struct ksm_error err = { 0 };

	if (ksm_select(&io, s, &list, &err))
		fail_msg("%s", err.text);
	assert_int_equal(list.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list.rows[i].pid, pids[i]);
}

static void test_all(void **state)
{
	struct ksm_selection s = { .all = true };

	expect(&s, 4, (pid_t[]){ 1, 31, 30, 32 });
	assert_string_equal(list.rows[3].comm, "db with blanks");
	assert_int_equal(list.rows[2].uid, 1000);
	assert_int_equal(list.rows[2].anon_bytes, 400 * 1024);
}

static void test_pids(void **state)
{
	struct ksm_selection s = { .pids = "32,1,32" };

	expect(&s, 2, (pid_t[]){ 1, 32 });
}

static void test_match(void **state)
{
	struct ksm_selection s = { .match = "web-*" };

	expect(&s, 2, (pid_t[]){ 31, 30 });
}

static void test_cgroup(void **state)
{
	static const char *const spellings[] = { "/a/b", "a/b", "/a/b/", KSM_ABI_CGROUP "/a/b" };
	struct ksm_selection s = { 0 };

	for (size_t i = 0; i < KSM_ARRAY_SIZE(spellings); i++) {
		s.cgroup = spellings[i];
		expect(&s, 2, (pid_t[]){ 30, 32 });
	}
	s.cgroup = "/";
	expect(&s, 4, (pid_t[]){ 1, 31, 30, 32 });
}

/* Who was found is looked at again: it may be another process by now, or elsewhere. */
static void test_matches(void **state)
{
	struct ksm_selection web = { .match = "web-*" }, box = { .cgroup = "/a/b" };
	struct ksm_selection named = { .pids = "30" };

	assert_true(ksm_select_matches(&io, &web, 30));
	assert_true(ksm_select_matches(&io, &box, 30));
	assert_true(ksm_select_matches(&io, &named, 30));
	tree_put("/proc/30/comm", "other\n");
	tree_put("/proc/30/cgroup", "0::/a/bc\n");
	assert_false(ksm_select_matches(&io, &web, 30));
	assert_false(ksm_select_matches(&io, &box, 30));
	assert_true(ksm_select_matches(&io, &named, 30));
	tree_drop("/proc/30/status");
	assert_false(ksm_select_matches(&io, &named, 30));
}

static void test_refused(void **state)
{
	static const struct {
		struct ksm_selection selection;
		const char *says;
		bool usage;
	} cases[] = {
		{ { 0 }, "which processes", true },
		{ { .all = true, .pids = "1" }, "too many", true },
		{ { .pids = "1,x" }, "'x'", true },
		{ { .pids = "" }, "''", true },
		{ { .pids = "0" }, "'0'", true },
		{ { .pids = "99999999999" }, "'99999999999'", true },
		{ { .pids = "77" }, "no process 77", false },
		{ { .pids = "2" }, "no process 2", false },
		{ { .match = "none" }, "called 'none'", false },
		{ { .cgroup = "/x" }, "control group '/x'", false },
	};

	for (size_t i = 0; i < KSM_ARRAY_SIZE(cases); i++) {
		struct ksm_error err = { 0 };

		assert_true(ksm_select(&io, &cases[i].selection, &list, &err) < 0);
		assert_non_null(strstr(err.text, cases[i].says));
		assert_int_equal(err.usage, cases[i].usage);
	}
}

static struct ksm_mapping maps[8];
static size_t map_count;

static int keep(const struct ksm_mapping *map, void *ctx)
{
	assert_true(map_count < KSM_ARRAY_SIZE(maps));
	maps[map_count++] = *map;
	return 0;
}

static void test_mappings(void **state)
{
	map_count = 0;
	assert_int_equal(ksm_mappings_each(&io, 50, keep, NULL), -ENOENT);
	tree_put("/proc/50/smaps", "");
	assert_int_equal(ksm_mappings_each(&io, 50, keep, NULL), 0);
	assert_int_equal(map_count, 0);
	tree_put("/proc/50/smaps",
		 "55e0000000-55e0002000 rw-p 00000000 00:00 0    [heap]\n"
		 "Size:          8 kB\nKernelPageSize:  4 kB\nRss:   8 kB\nAnonymous:  4 kB\n"
		 "KSM:  4 kB\nAnonHugePages:  0 kB\nVmFlags: rd wr mr mw me ac mg sd\n"
		 "7f0000000000-7f0000400000 rw-s 00000000 00:05 12 /memfd:ram (deleted)\n"
		 "Size: 4096 kB\nRss: 4096 kB\nAnonymous: 0 kB\nVmFlags: rd wr sh mr mw me ms sd\n"
		 "7f1000000000-7f1000400000 rw-p 00000000 00:05 12 /huge\n"
		 "Size: 4096 kB\nRss: 0 kB\nPrivate_Hugetlb: 2048 kB\nVmFlags: rd wr mr mw me ht\n"
		 "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n"
		 "Size: 4 kB\nVmFlags: ex io\n");
	assert_int_equal(ksm_mappings_each(&io, 50, keep, NULL), 0);
	assert_int_equal(map_count, 4);
	assert_int_equal(maps[0].start, 0x55e0000000);
	assert_int_equal(maps[0].end, 0x55e0002000);
	assert_int_equal(maps[0].flags, KSM_MAP_READABLE | KSM_MAP_MERGEABLE);
	assert_int_equal(maps[0].size, 8192);
	assert_int_equal(maps[0].rss, 8192);
	assert_int_equal(maps[0].anonymous, 4096);
	assert_int_equal(maps[0].ksm, 4096);
	assert_string_equal(maps[0].name, "[heap]");
	assert_int_equal(maps[1].flags, KSM_MAP_READABLE | KSM_MAP_SHARED);
	assert_string_equal(maps[1].name, "/memfd:ram (deleted)");
	assert_int_equal(maps[2].flags, KSM_MAP_READABLE | KSM_MAP_HUGETLB);
	assert_int_equal(maps[2].hugetlb, 2048 * 1024);
	assert_int_equal(maps[3].flags, KSM_MAP_SPECIAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_match, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cgroup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_matches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mappings, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
