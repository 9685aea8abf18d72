// SPDX-License-Identifier: GPL-2.0
/*
 * Per-process figures as kernels 6.1, 6.12 and 6.18 tell them.
 */
#include "unit/fake_tree.h"

#include <errno.h>

#include "lib/procs.h"

static void process(int pid, const char *comm, const char *stat, const char *merging)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	snprintf(text, sizeof(text), "%s\n", comm);
	tree_put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	snprintf(text, sizeof(text), "Name:\t%s\nUid:\t1000\t%d\t1000\t1000\n", comm, pid + 1);
	tree_put(path, text);
	if (stat) {
		snprintf(path, sizeof(path), "/proc/%d/ksm_stat", pid);
		tree_put(path, stat);
	}
	if (merging) {
		snprintf(path, sizeof(path), "/proc/%d/ksm_merging_pages", pid);
		tree_put(path, merging);
	}
}

static struct ksm_procs look(unsigned int flags)
{
	struct ksm_procs p = { 0 };
	struct ksm_io io;

	assert_int_equal(ksm_io_init(&io, tree_root), 0);
	assert_int_equal(ksm_procs_read(&io, &p, flags), 0);
	return p;
}

static void test_6_1(void **state)
{
	struct ksm_procs p;

	process(10, "small", "ksm_rmap_items 5\n", "5\n");
	process(11, "big", "ksm_rmap_items 500\n", "400\n");
	process(12, "none", "ksm_rmap_items 0\n", "0\n");
	process(2, "kthreadd", "", ""); /* a kernel thread has no mm: empty files */
	p = look(0);
	assert_int_equal(p.count, 2);
	assert_int_equal(p.seen, 4);
	assert_int_equal(p.rows[0].tgid, 11);
	assert_string_equal(p.rows[0].comm, "big");
	assert_int_equal(p.rows[0].uid, 12);
	assert_int_equal(p.rows[0].merging_pages, 400);
	assert_int_equal(p.rows[0].rmap_items, 500);
	assert_int_equal(p.rows[0].present, KSM_PROC_MERGING | KSM_PROC_RMAP_ITEMS | KSM_PROC_UID);
	assert_int_equal(p.absent, KSM_PROC_ZERO_PAGES);
	assert_non_null(strstr(p.reason, "zero pages"));
	assert_int_equal(ksm_proc_profit(&p.rows[0]), 400 * ksm_page_size() - 500 * 64);
	ksm_procs_free(&p);
	p = look(KSM_PROCS_ALL);
	assert_int_equal(p.count, 4);
	ksm_procs_free(&p);
}

static void test_6_18(void **state)
{
	struct ksm_procs p;

	process(20, "vm",
		"ksm_rmap_items 7\nksm_zero_pages 3\nksm_merging_pages 4\n"
		"ksm_process_profit -100\nksm_merge_any: no\nksm_mergeable: yes\n",
		NULL);
	p = look(0);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.rows[0].zero_pages, 3);
	assert_int_equal(p.rows[0].merging_pages, 4);
	assert_int_equal(p.absent, 0);
	assert_string_equal(p.reason, "");
	assert_int_equal(ksm_proc_profit(&p.rows[0]), 7 * ksm_page_size() - 7 * 64);
	ksm_procs_free(&p);
}

static void test_ties_and_losses(void **state)
{
	struct ksm_procs p;

	process(31, "tie", "ksm_rmap_items 1\n", "1\n");
	process(30, "tie", "ksm_rmap_items 1\n", "1\n");
	process(32, "loss", "ksm_rmap_items 1000\n", "0\n");
	p = look(0);
	assert_int_equal(p.count, 3);
	assert_int_equal(p.rows[0].tgid, 30);
	assert_int_equal(p.rows[1].tgid, 31);
	assert_int_equal(p.rows[2].tgid, 32);
	assert_true(ksm_proc_profit(&p.rows[2]) < 0);
	ksm_procs_free(&p);
}

static void test_kernel_without_figures(void **state)
{
	struct ksm_procs p;

	process(40, "old", NULL, NULL);
	p = look(0);
	assert_int_equal(p.count, 0);
	assert_true(p.absent & KSM_PROC_MERGING);
	assert_non_null(strstr(p.reason, "/proc/PID"));
	ksm_procs_free(&p);
}

static void test_mergeable(void **state)
{
	struct ksm_procs p;

	process(50, "marked", "ksm_rmap_items 0\n", "0\n");
	tree_put("/proc/50/smaps", "55e0-55e1 rw-p 00000000 00:00 0    [heap]\n"
				   "Size:                132 kB\nKernelPageSize:        4 kB\n"
				   "VmFlags: rd wr mr mw me ac sd\n"
				   "7f00-7f01 rw-p 00000000 00:00 0\n"
				   "Size:               1024 kB\nAnonymous:       800 kB\n"
				   "VmFlags: rd wr mr mw me ac mg sd\n"
				   "7f02-7f03 rw-p 00000000 00:00 0\n"
				   "Size:                 64 kB\nVmFlags: rd wr mr mw me ac mg\n");
	p = look(KSM_PROCS_MERGEABLE);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.rows[0].mergeable_bytes, 1088 * 1024);
	assert_int_equal(p.rows[0].mergeable_anon, 800 * 1024);
	assert_true(p.rows[0].present & KSM_PROC_MERGEABLE);
	ksm_procs_free(&p);
	p = look(0);
	assert_int_equal(p.count, 0);
	ksm_procs_free(&p);
}

static void test_reuse(void **state)
{
	struct ksm_procs p = { 0 };
	struct ksm_io io;

	assert_int_equal(ksm_io_init(&io, tree_root), 0);
	assert_int_equal(ksm_procs_read(&io, &p, 0), -ENOENT);
	for (int pid = 100; pid < 300; pid++)
		process(pid, "many", "ksm_rmap_items 2\n", "1\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ksm_procs_read(&io, &p, 0), 0);
		assert_int_equal(p.count, 200);
	}
	ksm_procs_free(&p);
	assert_null(p.rows);
}

static void test_meminfo(void **state)
{
	struct ksm_io io;
	uint64_t bytes;

	assert_int_equal(ksm_io_init(&io, tree_root), 0);
	assert_int_equal(ksm_mem_available(&io, &bytes), -ENOENT);
	tree_put("/proc/meminfo", "MemTotal:  100 kB\nMemFree:  20 kB\n");
	assert_int_equal(ksm_mem_available(&io, &bytes), -ENOENT);
	tree_put("/proc/meminfo", "MemTotal:  100 kB\nMemAvailable:     48 kB\nBuffers: 1 kB\n");
	assert_int_equal(ksm_mem_available(&io, &bytes), 0);
	assert_int_equal(bytes, 48 * 1024);
}

#define TREE(f) cmocka_unit_test_setup_teardown(f, tree_new, tree_delete)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE(test_6_1),
		TREE(test_6_18),
		TREE(test_ties_and_losses),
		TREE(test_kernel_without_figures),
		TREE(test_mergeable),
		TREE(test_reuse),
		TREE(test_meminfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
