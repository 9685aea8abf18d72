// SPDX-License-Identifier: GPL-2.0
/* Names of processes: out of /proc, into events, and back together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/trace_names.h"
#include "unit/fake_tree.h"

struct collected {
	struct ksm_event events[64];
	size_t count;
};

static int collect(void *ctx, const struct ksm_event *event)
{
	struct collected *c = ctx;

	assert_true(c->count < 64);
	c->events[c->count++] = *event;
	return 0;
}

static const struct ksm_event comm = { .type = KSM_EVENT_COMM, .time = 77, .tgid = 42 };

static void check_text(const char *text)
{
	struct collected c = { .count = 0 };
	struct ksm_name name = { .tgid = 0 };

	assert_int_equal(ksm_name_tell(&comm, KSM_NAME_CGROUP, text, collect, &c), 0);
	assert_int_equal(c.count, strlen(text) / 24 + 1);
	for (size_t i = 0; i < c.count; i++) {
		assert_int_equal(c.events[i].time, 77);
		assert_int_equal(c.events[i].type, KSM_EVENT_NAME);
		assert_int_equal(ksm_name_feed(&name, &c.events[i]), i + 1 == c.count);
	}
	assert_int_equal(name.tgid, 42);
	assert_int_equal(name.kind, KSM_NAME_CGROUP);
	assert_string_equal(name.text, text);
}

static void test_round_trip(void **state)
{
	char text[KSM_NAME_MAX];

	for (size_t size = 0; size < KSM_NAME_MAX - 1; size++) {
		memset(text, 'a' + size % 26, size);
		text[size] = 0;
		check_text(text);
	}
}

static void test_too_long(void **state)
{
	char text[2 * KSM_NAME_MAX];
	struct collected c = { .count = 0 };
	struct ksm_name name = { .tgid = 0 };
	bool whole = false;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	assert_int_equal(ksm_name_tell(&comm, KSM_NAME_GUEST, text, collect, &c), 0);
	for (size_t i = 0; i < c.count; i++)
		whole = ksm_name_feed(&name, &c.events[i]);
	assert_true(whole);
	assert_int_equal(strlen(name.text), KSM_NAME_MAX - 1);
}

/* Parts that are lost, doubled, foreign or endless never make a name, nor a crash. */
static void test_broken(void **state)
{
	struct collected c = { .count = 0 };
	struct ksm_name name = { .tgid = 0 };
	struct ksm_event e;

	ksm_name_tell(&comm, KSM_NAME_GUEST, "a name of more than two parts, that is 48 bytes long",
		      collect, &c);
	assert_int_equal(c.count, 3);
	assert_false(ksm_name_feed(&name, &c.events[0]));
	assert_false(ksm_name_feed(&name, &c.events[2]));
	assert_false(ksm_name_feed(&name, &c.events[1]));
	assert_false(ksm_name_feed(&name, &c.events[2]));
	assert_false(ksm_name_feed(&name, &c.events[0]));
	assert_false(ksm_name_feed(&name, &c.events[1]));
	e = c.events[2];
	e.tgid++;
	assert_false(ksm_name_feed(&name, &e));
	memset(&e.address, 'y', 8);
	memset(&e.pfn, 'y', 8);
	memset(&e.n64, 'y', 8);
	for (uint32_t part = 0; part < 100; part++) {
		e.n32 = KSM_NAME_GUEST | part;
		assert_false(ksm_name_feed(&name, &e));
		assert_true(strlen(name.text) <= KSM_NAME_MAX);
	}
}

static const char *told(const char *cmdline, size_t size, const char *cgroup, uint32_t kind)
{
	static struct ksm_name name;
	struct collected c = { .count = 0 };
	char path[PATH_MAX];
	struct ksm_io io;
	FILE *f;

	assert_int_equal(ksm_io_init(&io, tree_root), 0);
	tree_put("/proc/42/cgroup", cgroup);
	tree_put("/proc/42/cmdline", "");
	tree_path(path, "/proc/42/cmdline");
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(cmdline, 1, size, f), size);
	fclose(f);
	assert_int_equal(ksm_names_read(&io, &comm, collect, &c), 0);
	for (size_t i = 0; i < c.count; i++)
		if (ksm_name_feed(&name, &c.events[i]) && name.kind == kind)
			return name.text;
	return NULL;
}

static void test_read(void **state)
{
	static const char qemu[] = "qemu-system-x86_64\0-name\0web", other[] = "sleep\0001";

	assert_string_equal(told(qemu, sizeof(qemu), "0::/a/b\n", KSM_NAME_GUEST), "web");
	assert_string_equal(told(qemu, sizeof(qemu), "0::/a/b\n", KSM_NAME_CGROUP), "/a/b");
	assert_null(told(other, sizeof(other), "0::/a/b\n", KSM_NAME_GUEST));
	assert_null(told("", 0, "nonsense\n", KSM_NAME_CGROUP));
}

static void test_gone(void **state)
{
	struct collected c = { .count = 0 };
	struct ksm_io io;

	assert_int_equal(ksm_io_init(&io, tree_root), 0);
	assert_int_equal(ksm_names_read(&io, &comm, collect, &c), 0);
	assert_int_equal(c.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_broken),
		cmocka_unit_test_setup_teardown(test_read, tree_new, tree_delete),
		cmocka_unit_test_setup_teardown(test_gone, tree_new, tree_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
