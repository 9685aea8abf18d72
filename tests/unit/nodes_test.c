// SPDX-License-Identifier: GPL-2.0
/*
 * Savings on each NUMA node, from page maps made up here.
 */
#include "unit/fake_tree.h"

#include <errno.h>

#include "lib/nodes.h"
#include "lib/pagemap.h"

static struct ksm_io io;

static int setup(void **state)
{
	return tree_new(state) || ksm_io_init(&io, tree_root);
}

static void put_zones(void)
{
	tree_put("/proc/zoneinfo", "Node 0, zone    DMA\n  pages free 1\n        spanned  999\n"
				   "  start_pfn:           1\n"
				   "Node 0, zone Normal\n        spanned  1000\n"
				   "  start_pfn:           1000\n"
				   "Node 1, zone Normal\n        spanned  1000\n"
				   "  start_pfn:           2000\n"
				   "Node 1, zone Movable\n        spanned  0\n"
				   "  start_pfn:           0\n");
}

/* A process with four mergeable pages at page 16; an entry is a frame with its flags. */
static void put_process(int pid, const uint64_t entries[4])
{
	size_t page = (size_t)ksm_page_size();
	char path[64], text[256], full[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	snprintf(text, sizeof(text),
		 "%zx-%zx rw-p 00000000 00:00 0\nSize: 16 kB\nAnonymous: 16 kB\n"
		 "VmFlags: rd wr mg\n",
		 16 * page, 20 * page);
	tree_put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	tree_put(path, "");
	tree_path(full, path);
	file = fopen(full, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, 16 * 8, SEEK_SET), 0);
	assert_int_equal(fwrite(entries, 8, 4, file), 4);
	assert_int_equal(fclose(file), 0);
}

#define P KSM_PM_PRESENT

static void test_two_nodes(void **state)
{
	const struct ksm_proc procs[] = { { .tgid = 10, .merging_pages = 3 },
					  { .tgid = 11, .merging_pages = 3 },
					  { .tgid = 12 },
					  { .tgid = 13, .merging_pages = 1 } };
	struct ksm_nodes nodes;

	put_zones();
	/* frame 1500 three times, 2500 twice; one page its own, one in swap, one of a file */
	put_process(10, (uint64_t[]){ P | 1500, P | 1500, P | 2500, P | KSM_PM_EXCLUSIVE | 1600 });
	put_process(11,
		    (uint64_t[]){ P | 1500, P | 2500, KSM_PM_SWAP | 5, P | KSM_PM_FILE | 1500 });
	/* nothing merged: not looked at; gone: no matter */
	put_process(12, (uint64_t[]){ P | 1500, P | 1500, P | 1500, P | 1500 });
	assert_int_equal(ksm_nodes_read(&io, procs, 4, &nodes), 0);
	assert_string_equal(nodes.reason, "");
	assert_int_equal(nodes.count, 2);
	assert_int_equal(nodes.rows[0].id, 0);
	assert_int_equal(nodes.rows[0].frames, 1);
	assert_int_equal(nodes.rows[0].saved, 2);
	assert_int_equal(nodes.rows[1].id, 1);
	assert_int_equal(nodes.rows[1].frames, 1);
	assert_int_equal(nodes.rows[1].saved, 1);
}

static void test_no_frames(void **state)
{
	const struct ksm_proc procs[] = { { .tgid = 10, .merging_pages = 3 } };
	struct ksm_nodes nodes;

	put_zones();
	put_process(10, (uint64_t[]){ P, P, P, P });
	assert_int_equal(ksm_nodes_read(&io, procs, 1, &nodes), 0);
	assert_non_null(strstr(nodes.reason, "CAP_SYS_ADMIN"));
}

static void test_one_node(void **state)
{
	struct ksm_nodes nodes;

	assert_int_equal(ksm_nodes_read(&io, NULL, 0, &nodes), -ENOENT);
	tree_put("/proc/zoneinfo", "Node 3, zone Normal\n        spanned  9\n  start_pfn: 1\n");
	assert_int_equal(ksm_nodes_read(&io, NULL, 0, &nodes), 0);
	assert_int_equal(nodes.count, 1);
	assert_int_equal(nodes.rows[0].id, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_nodes, setup, tree_delete),
		cmocka_unit_test_setup_teardown(test_no_frames, setup, tree_delete),
		cmocka_unit_test_setup_teardown(test_one_node, setup, tree_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
