// SPDX-License-Identifier: GPL-2.0
/* ksmtop's views: what their keys ask of the machine, tuning, recordings, the tree, groups. */
#include "ksmtop_fixture.h"

static void test_views(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i <= VIEW_TABS; i++) {
		press(f, KT_TAB);
		assert_int_equal(f->ui.view, i % VIEW_TABS);
	}
	press(f, KT_BACKTAB);
	assert_int_equal(f->ui.view, VIEW_TUNING);
	press(f, '2');
	assert_int_equal(f->ui.view, VIEW_GROUPS);
	press(f, '1');
	assert_int_equal(f->ui.view, VIEW_PROCS);
	mouse(f, KT_CLICK, 35, 9); /* the third tab */
	assert_int_equal(f->ui.view, VIEW_EVENTS);
}

static void test_tree(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i < NPROCS; i++)
		f->procs[i].ppid = f->procs[(i - 1) / 2].pid; /* 101 above 102, 103 above ... */
	f->procs[0].ppid = 140;				      /* a loop: 140 hangs below 101 */
	f->sample.time_ns++;
	assert_true(model_update(&f->model, &f->sample));
	show(f);
	press(f, KT_F(5));
	assert_true(f->ui.tree);
	assert_int_equal(f->ui.nshown, NPROCS);
	for (int i = 1; i < NPROCS; i++) {
		const struct ksmtop_row *r = f->ui.shown[i];
		int k = i - 1;

		while (k >= 0 && f->ui.branch[k].depth >= f->ui.branch[i].depth)
			k--;
		if (f->ui.branch[i].depth)
			assert_int_equal(r->p.ppid, at(f, k));
	}
	assert_int_equal(f->ui.branch[0].depth, 0);
	press(f, 't');
	assert_false(f->ui.tree);
	assert_int_equal(at(f, 0), 101);
}

static void test_detail(void **state)
{
	struct fixture *f = *state;

	press(f, KT_DOWN);
	press(f, KT_ENTER);
	assert_int_equal(f->ui.view, VIEW_DETAIL);
	assert_int_equal(f->ui.request.ask, ASK_DETAIL);
	assert_int_equal(f->ui.request.pid, 102);
	press(f, 'r');
	assert_int_equal(f->ui.request.ask, ASK_JOIN);
	f->sample.nprocs = 0; /* it exits while we look */
	f->sample.time_ns++;
	assert_true(model_update(&f->model, &f->sample));
	show(f);
	press(f, KT_DOWN);
	press(f, KT_ESC);
	assert_int_equal(f->ui.view, VIEW_PROCS);
	f->ui.request = (struct ui_request){ 0 };
	press(f, KT_ENTER); /* there is nobody */
	assert_int_equal(f->ui.view, VIEW_PROCS);
	assert_int_equal(f->ui.request.ask, ASK_NOTHING);
}

static void test_attach_asks(void **state)
{
	struct fixture *f = *state;

	press(f, 'a'); /* it is found out first what it takes */
	assert_int_equal(f->ui.request.ask, ASK_ATTACH);
	assert_int_equal(f->ui.request.pid, 101);
	f->ui.request = (struct ui_request){ 0 };
	press(f, 'd');
	assert_int_equal(f->ui.request.ask, ASK_DETACH);
	f->ui.request = (struct ui_request){ 0 };
	keys_confirm(&f->ui, (struct ui_request){ .ask = ASK_DETACH_NOW, .pid = 101 }, "Detach?");
	press(f, 'n');
	assert_int_equal(f->ui.mode, UI_NORMAL);
	assert_int_equal(f->ui.request.ask, ASK_NOTHING);
	keys_confirm(&f->ui, (struct ui_request){ .ask = ASK_DETACH_NOW, .pid = 101 }, "Detach?");
	press(f, 'y');
	assert_int_equal(f->ui.request.ask, ASK_DETACH_NOW);
	assert_int_equal(f->ui.request.pid, 101);
	f->ui.nshown = 0; /* nobody under the cursor */
	f->ui.request = (struct ui_request){ 0 };
	press(f, 'a');
	assert_int_equal(f->ui.request.ask, ASK_NOTHING);
}

static void assert_set(struct fixture *f, unsigned int id, const char *text)
{
	assert_int_equal(f->ui.request.ask, ASK_SET);
	assert_int_equal(f->ui.request.id, id);
	assert_string_equal(f->ui.request.text, text);
	f->ui.request = (struct ui_request){ 0 };
}

static void test_tuning(void **state)
{
	struct fixture *f = *state;

	knob(f, KSM_ABI_RUN, 1);
	knob(f, KSM_ABI_PAGES_TO_SCAN, 100);
	knob(f, KSM_ABI_ADVISOR_MODE, 0);
	strcpy(f->model.now.counters.word[KSM_ABI_ADVISOR_MODE], "[none] scan-time");
	press(f, '5');
	assert_int_equal(tuning_count(&f->model, &f->ui), 3);
	press(f, '-');
	assert_set(f, KSM_ABI_RUN, "0");
	press(f, '+'); /* run=2: how much memory it needs comes first */
	assert_int_equal(f->ui.request.ask, ASK_UNMERGE);
	f->ui.request = (struct ui_request){ 0 };
	press(f, KT_DOWN);
	press(f, '+');
	assert_set(f, KSM_ABI_PAGES_TO_SCAN, "200");
	press(f, KT_LEFT);
	assert_set(f, KSM_ABI_PAGES_TO_SCAN, "50");
	press(f, KT_ENTER);
	assert_int_equal(f->ui.mode, UI_VALUE);
	type(f, "7");
	press(f, KT_ENTER);
	assert_set(f, KSM_ABI_PAGES_TO_SCAN, "1007");
	press(f, KT_ENTER);
	type(f, "x");
	press(f, KT_ENTER); /* no number: said, not asked for */
	assert_int_equal(f->ui.request.ask, ASK_NOTHING);
	assert_true(f->ui.message_bad);
	press(f, KT_ENTER);
	press(f, KT_ESC);
	assert_int_equal(f->ui.request.ask, ASK_NOTHING);
	press(f, KT_DOWN);
	press(f, '+');
	assert_set(f, KSM_ABI_ADVISOR_MODE, "scan-time");
}

static void test_undo(void **state)
{
	struct fixture *f = *state;

	knob(f, KSM_ABI_PAGES_TO_SCAN, 100);
	press(f, '5');
	press(f, 'u');
	assert_true(f->ui.message_bad);
	for (int i = 0; i < KSMTOP_UNDO + 5; i++)
		ui_changed(&f->ui, KSM_ABI_PAGES_TO_SCAN, i % 2 ? "100" : "200", "300");
	assert_int_equal(f->ui.nundo, KSMTOP_UNDO);
	press(f, 'u');
	assert_int_equal(f->ui.request.ask, ASK_UNDO);
	assert_string_equal(f->ui.request.text, "200");
}

static void test_profiles(void **state)
{
	struct fixture *f = *state;

	strcpy(f->ui.profiles_why, "none");
	press(f, '5');
	press(f, 'p');
	assert_string_equal(f->ui.message, "none");
	f->ui.nprofiles = 2;
	press(f, 'p');
	assert_int_equal(f->ui.mode, UI_PROFILE);
	press(f, KT_DOWN);
	press(f, KT_ENTER);
	assert_int_equal(f->ui.mode, UI_CONFIRM);
	press(f, 'y');
	assert_int_equal(f->ui.request.ask, ASK_PROFILE);
	assert_int_equal(f->ui.request.id, 1);
}

static void test_setup(void **state)
{
	struct fixture *f = *state;
	int n = f->ui.nmeters, second = f->ui.meters[1];

	press(f, KT_F(2));
	press(f, ' ');
	assert_int_equal(f->ui.nmeters, n - 1);
	assert_int_equal(f->ui.meters[0], second);
	press(f, ' '); /* on again, at the end */
	assert_int_equal(f->ui.meters[n - 1], 0);
	press(f, '<');
	assert_int_equal(f->ui.meters[n - 2], 0);
	press(f, '>');
	press(f, '>'); /* no further */
	assert_int_equal(f->ui.meters[n - 1], 0);
	for (int i = 0; i < ksmtop_nmeters; i++, press(f, KT_DOWN))
		for (int k = 0; k < f->ui.nmeters; k++)
			if (f->ui.meters[k] == f->ui.menu)
				press(f, ' ');
	assert_int_equal(f->ui.nmeters, 0); /* none at all can be drawn, too */
	press(f, KT_ESC);
	assert_int_equal(f->ui.request.ask, ASK_SAVE);
}

static void test_replay_keys(void **state)
{
	struct fixture *f = *state;

	press(f, ']'); /* nothing without a recording */
	assert_int_equal(f->ui.request.ask, ASK_NOTHING);
	f->ui.replay = (struct ui_replay){ .on = true, .speed = 1 };
	press(f, ']');
	assert_true(f->ui.replay.speed == 2);
	for (int i = 0; i < 20; i++)
		press(f, '[');
	assert_true(f->ui.replay.speed == 0.125);
	press(f, 't');
	assert_int_equal(f->ui.request.ask, ASK_STEP);
	assert_int_equal(f->ui.request.amount, 1);
	assert_true(f->ui.paused);
	press(f, 'T');
	assert_int_equal(f->ui.request.amount, -1);
	press(f, KT_RIGHT);
	assert_int_equal(f->ui.request.ask, ASK_SEEK);
	assert_int_equal(f->ui.request.amount, 10);
	press(f, KT_LEFT);
	assert_int_equal(f->ui.request.amount, -10);
	press(f, 'b');
	assert_int_equal(f->ui.request.ask, ASK_BEGIN);
	f->ui.request = (struct ui_request){ 0 };
	press(f, 'a'); /* nobody can be attached in the past */
	assert_int_equal(f->ui.mode, UI_NORMAL);
	knob(f, KSM_ABI_RUN, 1);
	press(f, '5');
	press(f, KT_ENTER);
	assert_int_equal(f->ui.mode, UI_NORMAL);
	assert_true(f->ui.message_bad);
}

static void test_events_view(void **state)
{
	struct fixture *f = *state;

	press(f, '3');
	press(f, KT_UP); /* nothing to move in */
	assert_int_equal(f->ui.last_event, 0);
	for (int i = 0; i < 3 * KSMTOP_EVENTS; i++)
		give(f, i % 3 ? KSM_EVENT_MERGE : KSM_EVENT_COW_BREAK, 101 + (uint32_t)i % 3);
	assert_int_equal(f->model.ev.total, 3 * KSMTOP_EVENTS);
	press(f, KT_UP);
	assert_int_equal(f->ui.last_event, 3 * KSMTOP_EVENTS - 1);
	press(f, KT_HOME);
	assert_int_equal(f->ui.last_event, events_oldest(&f->model.ev) + 1);
	for (int i = 0; i < 100; i++) /* what is shown is overwritten: the view moves on */
		give(f, KSM_EVENT_MERGE, 102);
	press(f, KT_DOWN);
	assert_true(f->ui.last_event > events_oldest(&f->model.ev));
	press(f, KT_END);
	assert_int_equal(f->ui.last_event, 0);
	press(f, '\\');
	type(f, "COW");
	press(f, KT_ENTER);
	assert_string_equal(f->ui.filter, ""); /* the processes' filter is another one */
	press(f, KT_UP);
	assert_true((f->ui.last_event - 1) % 3 == 0);
	assert_int_equal(events_get(&f->model.ev, f->ui.last_event - 1)->type, KSM_EVENT_COW_BREAK);
}

static void test_groups_view(void **state)
{
	static const struct ksmtop_group groups[] = { { 0, KSMTOP_GROUP_VM, "web" },
						      { 1, KSMTOP_GROUP_CONTAINER, "docker:abc" } };
	struct fixture *f = *state;
	double sum = 0;

	for (int i = 0; i < NPROCS; i++)
		f->procs[i].group = i % 4 ? &groups[i % 2] : NULL;
	f->sample.time_ns++;
	assert_true(model_update(&f->model, &f->sample));
	show(f);
	assert_int_equal(f->model.ngroups, 3);
	for (size_t i = 0; i < f->model.nrows; i++)
		sum += f->model.rows[i].saved.v;
	for (size_t i = 0; i < f->model.ngroups; i++)
		sum -= f->model.groups[i].saved.v;
	assert_true(sum < 1 && sum > -1);
	press(f, '2');
	press(f, KT_ENTER); /* its processes */
	assert_int_equal(f->ui.view, VIEW_PROCS);
	assert_string_equal(f->ui.filter, "docker:abc");
	assert_int_equal(f->ui.nshown, 20);
}

#define CROWD 20000

/* A large host: every view, the tree, sorting, and half of them gone the next moment. */
static void test_crowd(void **state)
{
	struct ksmtop_proc *procs = calloc(CROWD, sizeof(*procs));
	struct fixture *f = *state;

	assert_non_null(procs);
	for (int i = 0; i < CROWD; i++) {
		procs[i] = f->procs[i % NPROCS];
		procs[i].pid = 1000 + i;
		procs[i].ppid = 1000 + i / 3;
		procs[i].merging.v = (uint64_t)i;
	}
	f->sample.procs = procs;
	f->sample.nprocs = CROWD;
	f->sample.time_ns++;
	assert_true(model_update(&f->model, &f->sample));
	show(f);
	assert_int_equal(f->ui.nshown, CROWD);
	assert_int_equal(at(f, 0), 1000 + CROWD - 1);
	press(f, KT_F(5));
	assert_int_equal(f->ui.nshown, CROWD);
	assert_int_equal(at(f, 0), 1000);
	press(f, KT_END);
	press(f, KT_F(5));
	for (int i = 0; i < VIEW_TABS; i++)
		press(f, KT_TAB);
	f->sample.nprocs = CROWD / 2;
	f->sample.time_ns++;
	assert_true(model_update(&f->model, &f->sample));
	show(f);
	assert_int_equal(f->ui.nshown, CROWD / 2);
	assert_true(f->ui.cursor < CROWD / 2);
	f->sample.nprocs = 0;
	f->sample.procs = f->procs;
	free(procs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_views),	TEST(test_tree),	TEST(test_detail),
		TEST(test_attach_asks), TEST(test_tuning),	TEST(test_undo),
		TEST(test_profiles),	TEST(test_setup),	TEST(test_replay_keys),
		TEST(test_events_view), TEST(test_groups_view), TEST(test_crowd),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
