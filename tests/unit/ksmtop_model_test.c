// SPDX-License-Identifier: GPL-2.0
/* ksmtop's model: rates, history and rows from samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "ksmtop/model.h"

#define SECOND UINT64_C(1000000000)

static struct ksmtop_proc procs[4];

static struct ksmtop_count count(uint64_t v)
{
	return (struct ksmtop_count){ .have = true, .v = v };
}

static void set(struct ksmtop_sample *s, unsigned int id, int64_t v)
{
	s->counters.present |= UINT64_C(1) << id;
	s->counters.value[id] = v;
}

static struct ksmtop_sample sample(uint64_t time, uint64_t merges)
{
	struct ksmtop_sample s = { .time_ns = time, .page_size = 4096, .alive = true };

	strcpy(s.backend, "kernel");
	s.merges = count(merges);
	s.procs = procs;
	set(&s, KSM_ABI_RUN, 1);
	set(&s, KSM_ABI_PAGES_SHARED, 100);
	set(&s, KSM_ABI_PAGES_SHARING, 300);
	set(&s, KSM_ABI_PAGES_UNSHARED, 40);
	set(&s, KSM_ABI_PAGES_VOLATILE, 5);
	return s;
}

static void feed(struct ksmtop_model *m, struct ksmtop_sample s)
{
	assert_true(model_update(m, &s));
}

static void assert_num(struct ksmtop_num n, double v)
{
	assert_true(n.have);
	if (fabs(n.v - v) > 1e-6 * (fabs(v) + 1))
		fail_msg("%g, not %g", n.v, v);
}

static void test_rates(void **state)
{
	struct ksmtop_model m = { 0 };
	struct ksmtop_sample s = sample(SECOND, 1000);

	s.scanner_ns = count(5 * SECOND);
	set(&s, KSM_ABI_PAGES_SCANNED, 10);
	feed(&m, s);
	assert_false(m.merge_rate.have); /* one sample says nothing about speed */
	assert_false(m.cpu.have);
	s = sample(3 * SECOND, 1500);
	s.scanner_ns = count(5 * SECOND + SECOND / 2);
	set(&s, KSM_ABI_PAGES_SCANNED, 4010);
	feed(&m, s);
	assert_num(m.merge_rate, 250);
	assert_num(m.cpu, 25);
	assert_num(m.scan_rate, 2000);
	assert_false(m.break_rate.have); /* never sampled */
	assert_num((struct ksmtop_num){ true, m.interval }, 2);
	assert_int_equal(m.state, KSMTOP_RUNNING);
	assert_int_equal(m.tracked, 445);
	assert_int_equal(m.derived.saved_pages, 300);
	model_free(&m);
}

/* What processes marked is known in all when it is known of each that KSM knows. */
static void test_mergeable(void **state)
{
	struct ksmtop_model m = { 0 };
	struct ksmtop_sample s = sample(SECOND, 1000);
	bool mergeable;

	memset(procs, 0, sizeof(procs));
	procs[0] = (struct ksmtop_proc){ .pid = 1, .mergeable = count(600 * 4096) };
	procs[1] = (struct ksmtop_proc){ .pid = 2, .opt = KSMTOP_OPT_MADVISE };
	procs[2] = (struct ksmtop_proc){ .pid = 3 }; /* KSM knows nothing of it */
	s.nprocs = 3;
	feed(&m, s);
	assert_false(m.mergeable.have);
	assert_int_equal(model_whole(&m, &mergeable), 445);
	assert_false(mergeable);

	procs[1].mergeable = count(400 * 4096);
	feed(&m, s);
	assert_num(m.mergeable, 1000 * 4096);
	assert_int_equal(model_whole(&m, &mergeable), 1000);
	assert_true(mergeable);

	procs[1].mergeable = count(UINT64_C(32) << 40); /* an address space, not memory */
	feed(&m, s);
	assert_int_equal(model_whole(&m, &mergeable), 445);
	assert_false(mergeable);

	s.page_size = 0;
	feed(&m, s);
	assert_int_equal(model_whole(&m, &mergeable), 445);
	model_free(&m);
}

static void test_counter_reset(void **state)
{
	struct ksmtop_model m = { 0 };

	feed(&m, sample(1 * SECOND, 5000));
	feed(&m, sample(2 * SECOND, 5100));
	assert_num(m.merge_rate, 100);
	feed(&m, sample(3 * SECOND, 7)); /* the module was loaded again */
	assert_false(m.merge_rate.have);
	assert_true(history_get(&m.merge_hist, 0) < 0); /* a gap, not a zero */
	assert_true(history_get(&m.merge_hist, 1) == 100);
	feed(&m, sample(4 * SECOND, 10));
	assert_num(m.merge_rate, 3);
	model_free(&m);
}

static void test_counter_wrap(void **state)
{
	struct ksmtop_model m = { 0 };

	feed(&m, sample(1 * SECOND, UINT64_MAX - 9));
	feed(&m, sample(2 * SECOND, 20));
	assert_num(m.merge_rate, 30);
	model_free(&m);
}

static void test_no_time_between(void **state)
{
	struct ksmtop_model m = { 0 };

	feed(&m, sample(1 * SECOND, 0));
	feed(&m, sample(2 * SECOND, 50));
	feed(&m, sample(2 * SECOND, 80)); /* same moment: no rate can be told, the old one stays */
	assert_num(m.merge_rate, 50);
	assert_int_equal(m.merge_hist.count, 1);
	assert_int_equal(m.now.merges.v, 80);
	feed(&m, sample(1 * SECOND, 90)); /* a clock that goes back */
	assert_num(m.merge_rate, 50);
	assert_int_equal(m.merge_hist.count, 1);
	model_free(&m);
}

static void test_history_is_bounded(void **state)
{
	struct ksmtop_model m = { 0 };

	for (uint64_t i = 1; i <= 3 * KSMTOP_HISTORY; i++)
		feed(&m, sample(i * SECOND, i * i));
	assert_int_equal(m.merge_hist.count, KSMTOP_HISTORY);
	assert_true(history_get(&m.merge_hist, 0) == 2 * 3 * KSMTOP_HISTORY - 1);
	assert_true(history_get(&m.merge_hist, KSMTOP_HISTORY) < 0);
	assert_true(history_max(&m.merge_hist, 10) == 2 * 3 * KSMTOP_HISTORY - 1);
	model_free(&m);
}

static struct ksmtop_sample with_proc(uint64_t time, uint64_t start, uint64_t breaks)
{
	struct ksmtop_sample s = sample(time, 0);

	procs[0] = (struct ksmtop_proc){ .pid = 42, .start = start };
	procs[0].merging = count(200);
	procs[0].zero = count(10);
	procs[0].rmap_items = count(250);
	procs[0].breaks = count(breaks);
	s.nprocs = 1;
	return s;
}

static void test_process_rates(void **state)
{
	struct ksmtop_model m = { 0 };

	feed(&m, with_proc(1 * SECOND, 7, 100));
	assert_false(m.rows[0].breaks.have);
	feed(&m, with_proc(3 * SECOND, 7, 160));
	assert_num(m.rows[0].breaks, 30);
	/* 300 of 400 mappings are saved, so 150 of these 200; and all zero pages */
	assert_num(m.rows[0].saved, (150 + 10) * 4096);
	assert_num(m.rows[0].net, (150 + 10) * 4096 - 250 * 64);
	model_free(&m);
}

static void test_process_exit_and_reuse(void **state)
{
	struct ksmtop_model m = { 0 };

	feed(&m, with_proc(1 * SECOND, 7, 100));
	feed(&m, sample(2 * SECOND, 0)); /* it has gone */
	assert_int_equal(m.nrows, 0);
	feed(&m, with_proc(3 * SECOND, 7, 500)); /* away in between: no rate */
	assert_false(m.rows[0].breaks.have);
	feed(&m, with_proc(4 * SECOND, 8, 900)); /* the pid is another process now */
	assert_false(m.rows[0].breaks.have);
	feed(&m, with_proc(5 * SECOND, 8, 905));
	assert_num(m.rows[0].breaks, 5);
	model_free(&m);
}

static void test_unavailable_stays_unavailable(void **state)
{
	struct ksmtop_model m = { 0 };
	struct ksmtop_sample s = with_proc(1 * SECOND, 7, 0);

	procs[0].merging.have = procs[0].zero.have = false;
	feed(&m, s);
	assert_false(m.rows[0].saved.have);
	assert_false(m.rows[0].net.have);
	s = with_proc(2 * SECOND, 7, 0);
	procs[0].rmap_items.have = false;
	feed(&m, s);
	assert_true(m.rows[0].saved.have);
	assert_false(m.rows[0].net.have);
	model_free(&m);
}

static void test_backend_goes_and_comes(void **state)
{
	struct ksmtop_model m = { 0 };
	struct ksmtop_sample s;

	feed(&m, sample(1 * SECOND, 10));
	feed(&m, sample(2 * SECOND, 20));
	s = sample(3 * SECOND, 30);
	s.alive = false;
	s.counters = (struct ksm_counters_snapshot){ 0 };
	feed(&m, s);
	assert_int_equal(m.state, KSMTOP_GONE);
	assert_false(m.merge_rate.have);
	feed(&m, sample(4 * SECOND, 1000));
	assert_int_equal(m.state, KSMTOP_RUNNING);
	assert_false(m.merge_rate.have);
	s = sample(5 * SECOND, 5000);
	strcpy(s.backend, "engine"); /* the other engine's totals do not continue these */
	feed(&m, s);
	assert_false(m.merge_rate.have);
	model_free(&m);
}

static void test_states(void **state)
{
	static const struct {
		int64_t run;
		enum ksmtop_state state;
	} cases[] = {
		{ KSM_RUN_STOP, KSMTOP_STOPPED },
		{ KSM_RUN_MERGE, KSMTOP_RUNNING },
		{ KSM_RUN_UNMERGE, KSMTOP_UNMERGING },
		{ KSM_RUN_MERGE | KSM_RUN_OFFLINE, KSMTOP_OFFLINE },
	};
	struct ksmtop_model m = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ksmtop_sample s = sample((i + 1) * SECOND, 0);

		set(&s, KSM_ABI_RUN, cases[i].run);
		feed(&m, s);
		assert_int_equal(m.state, cases[i].state);
	}
	model_free(&m);
}

static void test_nothing_merged(void **state)
{
	struct ksmtop_model m = { 0 };
	struct ksmtop_sample s = with_proc(1 * SECOND, 7, 0);

	s.counters = (struct ksm_counters_snapshot){ 0 };
	procs[0].merging = procs[0].zero = count(0);
	feed(&m, s);
	assert_num(m.rows[0].saved, 0); /* and not 0 divided by 0 */
	assert_int_equal(m.tracked, 0);
	model_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_mergeable),
		cmocka_unit_test(test_counter_reset),
		cmocka_unit_test(test_counter_wrap),
		cmocka_unit_test(test_no_time_between),
		cmocka_unit_test(test_history_is_bounded),
		cmocka_unit_test(test_process_rates),
		cmocka_unit_test(test_process_exit_and_reuse),
		cmocka_unit_test(test_unavailable_stays_unavailable),
		cmocka_unit_test(test_backend_goes_and_comes),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_nothing_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
