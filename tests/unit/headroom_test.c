// SPDX-License-Identifier: GPL-2.0
/*
 * Does it fit: the machine's memory, a cgroup's limit, and the tightest of them; the progress bar.
 */
#include "unit/fake_tree.h"

#include <errno.h>

#include "lib/headroom.h"
#include "lib/progress.h"

#define MIB (1024 * 1024)

static struct ksm_counters_snapshot merged(int64_t sharing, int64_t zero)
{
	struct ksm_counters_snapshot s = { 0 };

	s.present = 1ull << KSM_ABI_PAGES_SHARING | 1ull << KSM_ABI_KSM_ZERO_PAGES;
	s.value[KSM_ABI_PAGES_SHARING] = sharing;
	s.value[KSM_ABI_KSM_ZERO_PAGES] = zero;
	return s;
}

static void available(unsigned int mib)
{
	char text[64];

	snprintf(text, sizeof(text), "MemFree: 1 kB\nMemAvailable: %u kB\n", mib * 1024);
	tree_put("/proc/meminfo", text);
}

static void process(int pid, unsigned int pages, const char *cgroup)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	tree_put(path, "guest\n");
	snprintf(path, sizeof(path), "/proc/%d/ksm_stat", pid);
	snprintf(text, sizeof(text), "ksm_rmap_items 9\nksm_zero_pages 0\nksm_merging_pages %u\n",
		 pages);
	tree_put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	snprintf(text, sizeof(text), "1:name=systemd:/\n0::%s\n", cgroup);
	tree_put(path, text);
}

static void limit(const char *cgroup, const char *max, unsigned int used_mib,
		  unsigned int cache_mib)
{
	char path[256], text[128];

	snprintf(path, sizeof(path), KSM_ABI_CGROUP "%s/memory.max", cgroup);
	tree_put(path, max);
	snprintf(path, sizeof(path), KSM_ABI_CGROUP "%s/memory.current", cgroup);
	snprintf(text, sizeof(text), "%u\n", used_mib * MIB);
	tree_put(path, text);
	snprintf(path, sizeof(path), KSM_ABI_CGROUP "%s/memory.stat", cgroup);
	snprintf(text, sizeof(text), "anon 1\ninactive_file %u\nactive_file 0\n", cache_mib * MIB);
	tree_put(path, text);
}

static struct ksm_headroom look(int64_t sharing, int64_t zero)
{
	struct ksm_counters_snapshot s = merged(sharing, zero);
	struct ksm_backend b = tree_open();
	struct ksm_headroom h;

	assert_int_equal(ksm_headroom_all(&b.io, &s, &h), 0);
	return h;
}

static int machine(void **state)
{
	if (tree_new(state))
		return -1;
	tree_ksm(KSM_ABI_KERNEL_DIR, true);
	return 0;
}

static void test_the_machine(void **state)
{
	int64_t page = ksm_page_size();
	struct ksm_headroom h;

	available(16);
	h = look(16 * MIB / page - 1, 1);
	assert_int_equal(h.need, 16 * MIB);
	assert_int_equal(h.available, 16 * MIB);
	assert_true(ksm_headroom_fits(&h));
	h = look(16 * MIB / page, 1); /* one zero page too many */
	assert_false(ksm_headroom_fits(&h));
	assert_string_equal(h.where, "");
	h = look(0, 0);
	assert_true(ksm_headroom_fits(&h));
}

static void test_unknown(void **state)
{
	struct ksm_counters_snapshot s = merged(1, 0);
	struct ksm_backend b = tree_open();
	struct ksm_headroom h;

	assert_int_equal(ksm_headroom_all(&b.io, &s, &h), -ENOENT);
	tree_put("/proc/meminfo", "MemFree: 1 kB\n");
	assert_int_equal(ksm_headroom_all(&b.io, &s, &h), -ENOENT);
}

static void test_a_limit_binds(void **state)
{
	unsigned int pages = (unsigned int)(8 * MIB / ksm_page_size());
	char text[KSM_HEADROOM_TEXT];
	struct ksm_headroom h;

	available(1000);
	process(7, pages, "/vms/left");
	process(8, pages, "/vms/right");
	limit("/vms", "max\n", 500, 0);
	limit("/vms/right", "104857600\n", 95, 0);
	h = look(2 * pages, 0);
	assert_false(ksm_headroom_fits(&h));
	assert_string_equal(h.where, "/vms/right");
	assert_int_equal(h.need, 8 * MIB);
	assert_int_equal(h.available, 5 * MIB);
	ksm_headroom_text(text, sizeof(text), &h);
	assert_string_equal(text, "needs 8.0 MiB, 5.0 MiB available in cgroup /vms/right");

	/* its page cache can go */
	limit("/vms/right", "104857600\n", 95, 4);
	h = look(2 * pages, 0);
	assert_true(ksm_headroom_fits(&h));
	assert_int_equal(h.available, 9 * MIB);

	/* the limit above them binds the sum of both */
	limit("/vms", "536870912\n", 500, 0);
	h = look(2 * pages, 0);
	assert_string_equal(h.where, "/vms");
	assert_int_equal(h.need, 16 * MIB);
	assert_int_equal(h.available, 12 * MIB);
	assert_false(ksm_headroom_fits(&h));
}

/* A group never needs more than the machine: the page that was kept is freed in the end. */
static void test_a_group_needs_no_more_than_all(void **state)
{
	unsigned int pages = (unsigned int)(8 * MIB / ksm_page_size());
	struct ksm_headroom h;

	available(1000);
	process(7, 2 * pages, "/vms");
	limit("/vms", "104857600\n", 91, 0);
	h = look(pages, 0);
	assert_int_equal(h.need, 8 * MIB);
	assert_string_equal(h.where, "/vms");
	assert_true(ksm_headroom_fits(&h));
}

static void test_some_processes(void **state)
{
	struct ksm_proc rows[] = { { .tgid = 7, .merging_pages = 100, .zero_pages = 28 },
				   { .tgid = 8, .merging_pages = 0 } };
	struct ksm_backend b = tree_open();
	struct ksm_headroom h;

	available(1000);
	process(7, 100, "/vms");
	limit("/vms", "65536\n", 0, 0);
	assert_int_equal(ksm_headroom_procs(&b.io, rows, 2, &h), 0);
	assert_int_equal(h.need, 128 * ksm_page_size());
	assert_string_equal(h.where, "/vms");
	assert_false(ksm_headroom_fits(&h));
	assert_int_equal(ksm_headroom_procs(&b.io, rows + 1, 1, &h), 0);
	assert_true(ksm_headroom_fits(&h));
}

static void test_progress_line(void **state)
{
	char line[160];

	ksm_progress_line(line, sizeof(line), "unmerging", 0, 100 * MIB, 0);
	assert_string_equal(line, "unmerging [                        ]   0 %");
	ksm_progress_line(line, sizeof(line), "unmerging", 25 * MIB, 100 * MIB, 1000000000);
	assert_string_equal(line,
			    "unmerging [######                  ]  25 %  25.0 MiB/s  3.00 s left");
	ksm_progress_line(line, sizeof(line), "unmerging", 300, 200, 1);
	assert_string_equal(line, "unmerging [########################] 100 %");
	ksm_progress_line(line, 20, "unmerging", 1, 2, 1000000000);
	assert_int_equal(strlen(line), 19);
}

#define TREE(f) cmocka_unit_test_setup_teardown(f, machine, tree_delete)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE(test_the_machine),	   TREE(test_unknown),
		TREE(test_a_limit_binds),  TREE(test_a_group_needs_no_more_than_all),
		TREE(test_some_processes), cmocka_unit_test(test_progress_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
