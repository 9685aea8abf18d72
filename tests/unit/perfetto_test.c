// SPDX-License-Identifier: GPL-2.0
/* ksmtrace export --perfetto: JSON that parses, tracks with names, slices that do not overlap. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "ksm_abi.h"
#include "ksmtrace/perfetto.h"
#include "lib/trace_names.h"

#define START UINT64_C(7000000000)
#define US UINT64_C(1000)

static const struct ksm_trace_info info = {
	.env = { { "kernel_release", "6.1 \"quoted\"" } },
	.env_count = 1,
};

static struct perfetto *p;
static char *text;
static size_t size;
static FILE *to;

static int setup(void **state)
{
	to = open_memstream(&text, &size);
	p = perfetto_new(&info, 4096, to);
	return p ? 0 : -1;
}

static struct json_object *done(struct json_object **events)
{
	struct json_object *root;

	assert_int_equal(perfetto_finish(p), 0);
	fclose(to);
	root = json_tokener_parse(text);
	assert_non_null(root);
	free(text);
	assert_true(json_object_object_get_ex(root, "traceEvents", events));
	return root;
}

static void feed(unsigned int type, uint64_t us, uint32_t tgid, uint32_t n32, uint64_t n64)
{
	struct ksm_event e = { .time = START + us * US,
			       .type = type,
			       .tgid = tgid,
			       .mm = 0,
			       .n32 = n32,
			       .address = 0x7f0000001000,
			       .pfn = 0x55,
			       .n64 = n64 };

	assert_int_equal(perfetto_event(p, &e), 0);
}

static int feed_event(void *ctx, const struct ksm_event *e)
{
	return perfetto_event(p, e);
}

static void call(uint32_t tgid, const char *name, const char *guest)
{
	struct ksm_event e = { .time = START, .type = KSM_EVENT_COMM, .tgid = tgid };
	char comm[16] = "";

	memcpy(comm, name, strlen(name));
	memcpy(&e.address, comm, 8);
	memcpy(&e.pfn, comm + 8, 8);
	assert_int_equal(perfetto_event(p, &e), 0);
	if (guest)
		assert_int_equal(ksm_name_tell(&e, KSM_NAME_GUEST, guest, feed_event, NULL), 0);
}

static const char *string_of(struct json_object *o, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) ? json_object_get_string(value) : NULL;
}

static double number_of(struct json_object *o, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(o, key, &value));
	return json_object_get_double(value);
}

static struct json_object *args_of(struct json_object *o)
{
	struct json_object *args;

	assert_true(json_object_object_get_ex(o, "args", &args));
	return args;
}

/* The @nth event of this phase and name. */
static struct json_object *find(struct json_object *events, const char *phase, const char *name,
				size_t nth)
{
	for (size_t i = 0; i < json_object_array_length(events); i++) {
		struct json_object *o = json_object_array_get_idx(events, i);

		if (!strcmp(string_of(o, "ph"), phase) && !strcmp(string_of(o, "name"), name) &&
		    !nth--)
			return o;
	}
	return NULL;
}

/* Nanoseconds, as Perfetto makes them of a floating point number; it once cut, now it rounds. */
static int64_t ns_of(struct json_object *o, const char *key, double round)
{
	return (int64_t)(number_of(o, key) * 1000 + round);
}

static bool overlap(struct json_object *a, struct json_object *b, double round)
{
	return ns_of(a, "ts", round) + ns_of(a, "dur", round) > ns_of(b, "ts", round);
}

static bool same(struct json_object *a, struct json_object *b, const char *key)
{
	return number_of(a, key) == number_of(b, key);
}

/* Whether a process, or one of its tracks, is called something. */
static bool is_called(struct json_object *events, struct json_object *o, const char *what)
{
	struct json_object *name;

	for (size_t i = 0; (name = find(events, "M", what, i)); i++)
		if (same(name, o, "pid") && same(name, o, "tid"))
			return *string_of(args_of(name), "name");
	return false;
}

static void check_slice(struct json_object *events, size_t at)
{
	struct json_object *a = json_object_array_get_idx(events, at), *b;

	assert_true(number_of(a, "dur") > 0);
	assert_true(is_called(events, a, "thread_name"));
	for (size_t i = 0; i < at; i++) {
		b = json_object_array_get_idx(events, i);
		if (*string_of(b, "ph") != 'X' || !same(a, b, "tid"))
			continue;
		assert_false(overlap(b, a, 0) || overlap(b, a, 0.5));
	}
}

static void check_counter(struct json_object *args)
{
	json_object_object_foreach(args, key, value)
	{
		assert_true(*key);
		assert_true(json_object_is_type(value, json_type_int) ||
			    json_object_is_type(value, json_type_double));
	}
	assert_int_equal(json_object_object_length(args), 1);
}

/* What the viewer demands of every event, and of slices on one track. */
static void check_structure(struct json_object *root, struct json_object *events)
{
	size_t count = json_object_array_length(events);

	/* Perfetto once took it for the unit of "ts". */
	assert_null(json_object_object_get(root, "displayTimeUnit"));
	for (size_t i = 0; i < count; i++) {
		struct json_object *a = json_object_array_get_idx(events, i);

		assert_true(number_of(a, "pid") > 0 && number_of(a, "tid") < INT32_MAX);
		number_of(a, "ts");
		switch (*string_of(a, "ph")) {
		case 'X':
			check_slice(events, i);
			break;
		case 'C':
			check_counter(args_of(a));
			break;
		case 'i':
			assert_non_null(strchr("gt", *string_of(a, "s")));
			assert_true(is_called(events, a, "thread_name"));
			break;
		default:
			assert_string_equal(string_of(a, "ph"), "M");
			assert_true(*string_of(args_of(a), "name"));
		}
	}
}

static void test_empty(void **state)
{
	struct json_object *events, *root = done(&events), *facts;

	check_structure(root, events);
	assert_non_null(find(events, "M", "process_name", 0));
	assert_true(json_object_object_get_ex(root, "otherData", &facts));
	assert_string_equal(string_of(facts, "kernel_release"), "6.1 \"quoted\"");
	json_object_put(root);
}

static void test_passes(void **state)
{
	struct json_object *events, *root, *pass;

	feed(KSM_EVENT_SCAN_STOP, 1, 0, 0, 0); /* of a pass that began before */
	feed(KSM_EVENT_SCAN_START, 10, 0, 5, 0);
	feed(KSM_EVENT_MERGE, 20, 9, 0, 0);
	feed(KSM_EVENT_COW_BREAK, 30, 9, 0, 2500);
	feed(KSM_EVENT_SCAN_STOP, 40, 0, 5, 1234);
	feed(KSM_EVENT_SCAN_START, 50, 0, 6, 0);
	feed(KSM_EVENT_BATCH_SLEEP, 60, 0, 0, 0);
	feed(KSM_EVENT_BATCH_WAKE, 70, 0, 0, 0);
	feed(KSM_EVENT_BATCH_SLEEP, 90, 0, 0, 0);
	root = done(&events);
	check_structure(root, events);
	pass = find(events, "X", "pass", 0);
	assert_non_null(pass);
	assert_null(find(events, "X", "pass", 1));
	assert_true(number_of(pass, "ts") == START / 1000 + 10);
	assert_true(number_of(pass, "dur") == 30);
	assert_true(number_of(args_of(pass), "seq") == 5);
	assert_true(number_of(args_of(pass), "rmap_items") == 1234);
	assert_true(number_of(args_of(pass), "merged") == 1);
	assert_true(number_of(args_of(pass), "broken") == 1);
	assert_true(number_of(find(events, "X", "batch", 0), "dur") == 20);
	assert_null(find(events, "X", "batch", 1));
	json_object_put(root);
}

/* Floating point numbers take these for a bit less; for something up to 31 ns off. */
static const uint64_t uptimes[] = { UINT64_C(139000) * 1000 * 1000 * 1000,
				    UINT64_C(10) * 365 * 24 * 3600 * 1000 * 1000 * 1000 };

/* Where the end of a pass cannot be seen it is where the next one begins. */
static void test_passes_without_end(void **state)
{
	struct ksm_event e = { .type = KSM_EVENT_SCAN_START };
	struct json_object *events, *root;

	for (int i = 0; i < 200; i++) {
		e.time = uptimes[i / 100] + UINT64_C(33333337) * i;
		assert_int_equal(perfetto_event(p, &e), 0);
	}
	root = done(&events);
	check_structure(root, events);
	assert_non_null(find(events, "X", "pass", 198));
	json_object_put(root);
}

/* A track per process; the merge stands where it happened, the break begins with its write. */
static void test_processes(void **state)
{
	struct json_object *events, *root, *o;

	call(9, "java \xff\"", NULL);
	call(10, "qemu", "web");
	feed(KSM_EVENT_MERGE, 20, 9, 0, 0);
	feed(KSM_EVENT_COW_BREAK, 30, 10, KSM_COW_WRITE, 2500);
	feed(KSM_EVENT_COW_BREAK, 40, 10, KSM_COW_UNMERGE, 1000);
	feed(KSM_EVENT_COW_BREAK, 50, 10, KSM_COW_WRITE, 0); /* nobody knows how long */
	feed(KSM_EVENT_RMAP_REMOVED, 60, 0, 1, 0);	     /* of nobody */
	root = done(&events);
	check_structure(root, events);
	o = find(events, "i", "merge", 0);
	assert_true(number_of(o, "pid") == 9 && number_of(o, "ts") == START / 1000 + 20);
	assert_string_equal(string_of(args_of(o), "address"), "0x7f0000001000");
	o = find(events, "X", "cow_break", 0);
	assert_true(number_of(o, "pid") == 10 && number_of(o, "ts") == START / 1000 + 27.5);
	assert_true(number_of(o, "dur") == 2.5);
	assert_non_null(find(events, "X", "unmerge", 0));
	assert_non_null(find(events, "i", "cow_break", 0));
	assert_true(number_of(find(events, "i", "rmap_removed", 0), "pid") == PERFETTO_HOST);
	assert_string_equal(string_of(args_of(find(events, "M", "process_name", 2)), "name"),
			    "java ?\"");
	assert_string_equal(string_of(args_of(find(events, "M", "process_name", 4)), "name"),
			    "web (qemu)");
	json_object_put(root);
}

/* Threads of a process that fault at the same time. */
static void test_overlap(void **state)
{
	struct json_object *events, *root;
	size_t slices = 0, instants = 0;

	for (int i = 0; i < 8; i++)
		feed(KSM_EVENT_COW_BREAK, 100 + i, 9, 0, 50 * US);
	feed(KSM_EVENT_COW_BREAK, 300, 9, 0, 50 * US);
	root = done(&events);
	check_structure(root, events);
	while (find(events, "X", "cow_break", slices))
		slices++;
	while (find(events, "i", "cow_break", instants))
		instants++;
	assert_int_equal(slices, PERFETTO_LANES + 1);
	assert_int_equal(instants, 8 - PERFETTO_LANES);
	json_object_put(root);
}

/* One thread's write right after another's. */
static void test_close(void **state)
{
	struct ksm_event e = { .type = KSM_EVENT_COW_BREAK, .tgid = 9, .n64 = 2500 };
	struct json_object *events, *root;

	for (int i = 0; i < 200; i++) {
		e.time = uptimes[i / 100] + (e.n64 + 1) * i;
		assert_int_equal(perfetto_event(p, &e), 0);
	}
	root = done(&events);
	check_structure(root, events);
	assert_non_null(find(events, "X", "cow_break", 199));
	json_object_put(root);
}

/* All counters have one time when they were read at once. */
static void test_counters_at_once(void **state)
{
	struct json_object *events, *root;

	for (int i = 0; i < 2; i++) {
		feed(KSM_EVENT_COUNTER, i, 0, KSM_ABI_PAGES_SHARED, 100);
		feed(KSM_EVENT_COUNTER, i, 0, KSM_ABI_PAGES_SHARING, 512 << i);
		feed(KSM_EVENT_COUNTER, i, 0, KSM_ABI_KSM_ZERO_PAGES, 256 << i);
	}
	root = done(&events);
	check_structure(root, events);
	for (int i = 0; i < 2; i++) {
		struct json_object *o = find(events, "C", "saved", i);

		assert_non_null(o);
		assert_true(number_of(o, "ts") == START / 1000 + i);
		assert_true(number_of(args_of(o), "MiB") == 3 << i);
	}
	assert_null(find(events, "C", "saved", 2));
	json_object_put(root);
}

static void test_counters(void **state)
{
	struct json_object *events, *root;

	feed(KSM_EVENT_COUNTER, 1, 0, KSM_ABI_PAGES_SHARING, 512);
	feed(KSM_EVENT_COUNTER, 2, 0, KSM_ABI_KSM_ZERO_PAGES, 256);
	feed(KSM_EVENT_COUNTER, 3, 0, KSM_ABI_PAGES_SHARED, 100);
	feed(KSM_EVENT_COUNTER, 4, 0, 9999, 100);
	feed(KSM_EVENT_COUNTER, 5, 0, KSM_ABI_PAGES_SHARING, UINT64_MAX);
	feed(KSM_EVENT_LOST, 6, 0, KSM_EVENT_MERGE, 77);
	root = done(&events);
	check_structure(root, events);
	assert_true(number_of(args_of(find(events, "C", "saved", 0)), "MiB") == 2);
	assert_true(number_of(args_of(find(events, "C", "saved", 1)), "MiB") == 3);
	assert_null(find(events, "C", "saved", 2));
	assert_true(number_of(args_of(find(events, "C", "pages_shared", 0)), "pages") == 100);
	assert_true(number_of(args_of(find(events, "i", "lost", 0)), "count") == 77);
	assert_string_equal(string_of(args_of(find(events, "i", "lost", 0)), "cause"), "unknown");
	json_object_put(root);
}

static void test_full_disk(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct perfetto *q = perfetto_new(&info, 4096, full);

	assert_non_null(q);
	assert_int_equal(perfetto_finish(q), -EPIPE);
	fclose(full);
	perfetto_finish(p);
	fclose(to);
	free(text);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),     TEST(test_passes),	   TEST(test_passes_without_end),
		TEST(test_processes), TEST(test_overlap),	   TEST(test_close),
		TEST(test_counters),  TEST(test_counters_at_once), TEST(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
