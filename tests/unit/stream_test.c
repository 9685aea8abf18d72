// SPDX-License-Identifier: GPL-2.0
/* The sorting of events, and a stream that opens whatever the machine permits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/stream.h"
#include "lib/stream_hooks.h"
#include "lib/stream_window.h"
#include "lib/util.h"

struct seen {
	uint64_t last;
	uint64_t sum;
	size_t count;
	size_t stop_at;
};

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct seen *seen = ctx;

	assert_true(event->time >= seen->last);
	seen->last = event->time;
	seen->sum += event->n64;
	return ++seen->count == seen->stop_at ? 9 : 0;
}

static void add(struct ksm_window *w, uint64_t time, uint64_t n64, int want)
{
	struct ksm_event event = { .time = time, .n64 = n64 };

	assert_int_equal(ksm_window_add(w, &event), want);
}

/* 100,000 events of four CPUs, each in order, the CPUs up to 100 apart. */
static void test_sorts(void **state)
{
	struct ksm_window w = { 0 };
	struct seen seen = { 0 };
	uint64_t sum = 0;

	srandom(1);
	for (uint64_t i = 1; i <= 100000; i++) {
		add(&w, 1000 + i + random() % 100, i, 0);
		sum += i;
		if (i % 1000 == 0)
			assert_int_equal(ksm_window_flush(&w, 1000 + i - 100, on_event, &seen), 0);
	}
	assert_int_equal(ksm_window_flush(&w, UINT64_MAX, on_event, &seen), 0);
	assert_int_equal(seen.count, 100000);
	assert_int_equal(seen.sum, sum);
	assert_int_equal(w.count, 0);
	ksm_window_free(&w);
}

static int append(void *ctx, const struct ksm_event *event)
{
	char *text = ctx;

	text[strlen(text)] = '0' + event->n64;
	return 0;
}

static void test_equal_times_keep_order(void **state)
{
	struct ksm_window w = { 0 };
	char text[16] = "";

	for (int i = 0; i < 9; i++)
		add(&w, 5, i, 0);
	add(&w, 4, 9, 0);
	assert_int_equal(ksm_window_flush(&w, 10, append, text), 0);
	assert_string_equal(text, "9012345678");
	ksm_window_free(&w);
}

static void test_late(void **state)
{
	struct ksm_window w = { 0 };
	struct seen seen = { 0 };

	add(&w, 100, 1, 0);
	add(&w, 200, 1, 0);
	assert_int_equal(ksm_window_flush(&w, 150, on_event, &seen), 0);
	assert_int_equal(seen.count, 1);
	add(&w, 149, 1, -ETIME);
	add(&w, 150, 1, 0);
	assert_int_equal(ksm_window_flush(&w, 150, on_event, &seen), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(ksm_window_flush(&w, 500, on_event, &seen), 0);
	assert_int_equal(seen.count, 3);
	add(&w, 499, 1, -ETIME);
	ksm_window_free(&w);
}

static void test_stop_keeps_the_rest(void **state)
{
	struct ksm_window w = { 0 };
	struct seen seen = { .stop_at = 2 };

	for (int i = 0; i < 5; i++)
		add(&w, 10 + i, 1, 0);
	assert_int_equal(ksm_window_flush(&w, 100, on_event, &seen), 9);
	assert_int_equal(seen.count, 2);
	assert_int_equal(w.count, 3);
	assert_int_equal(ksm_window_flush(&w, 100, on_event, &seen), 0);
	assert_int_equal(seen.count, 5);
	ksm_window_free(&w);
}

static void test_bad_options(void **state)
{
	struct ksm_stream_opts none = { 0 }, foreign = { .backend = 4 };
	struct ksm_stream_opts nobody = { .backend = 1, .events = KSM_STREAM_ALL };
	const struct ksm_stream_opts *all[] = { &none, &foreign, &nobody };
	struct ksm_stream *stream;

	for (size_t i = 0; i < KSM_ARRAY_SIZE(all); i++) {
		char err[128] = "";

		assert_int_equal(ksm_stream_open(all[i], &stream, err, sizeof(err)), -EINVAL);
		assert_true(err[0]);
	}
}

/* Each type of an engine is on some rung, the ladder names only programs that exist. */
static void check_hooks(struct ksm_stream *stream, bool permitted)
{
	const struct ksm_hook *hooks;
	size_t count;

	hooks = ksm_stream_hooks(stream, &count);
	assert_int_equal(count, 2 * KSM_EVENT_SWAPIN_COPY);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(hooks[i].type, 1 + i % KSM_EVENT_SWAPIN_COPY);
		assert_int_equal(hooks[i].backend, 1 + i / KSM_EVENT_SWAPIN_COPY);
		assert_true(hooks[i].hook || hooks[i].why);
		if (hooks[i].why)
			assert_null(strstr(hooks[i].why, "not built in"));
		if (!permitted)
			assert_null(hooks[i].hook);
	}
}

/* Without any right: still opens, says why for everything, waits, delivers what is injected. */
static void unprivileged(void)
{
	struct seen seen = { 0 };
	struct ksm_stream_opts opts = {
		.backend = KSM_STREAM_BOTH,
		.events = KSM_STREAM_ALL,
		.fn = on_event,
		.ctx = &seen,
	};
	struct ksm_event event = { .type = KSM_EVENT_COUNTER, .n64 = 5 };
	struct ksm_proc_iter *iter;
	struct ksm_stream *stream;
	struct ksm_totals totals;
	char err[256] = "";

	assert_int_equal(ksm_stream_open(&opts, &stream, err, sizeof(err)), 0);
	check_hooks(stream, false);
	event.time = ksm_monotonic_ns();
	assert_int_equal(ksm_stream_inject(stream, &event), 0);
	assert_int_equal(ksm_stream_poll(stream, 100), 0);
	assert_int_equal(seen.sum, 5);
	/* Too late: not delivered, but told of. */
	event.time = 1;
	assert_int_equal(ksm_stream_inject(stream, &event), 0);
	assert_int_equal(ksm_stream_finish(stream), 0);
	assert_int_equal(seen.sum, 5 + 1);
	assert_int_equal(ksm_stream_lost(stream), 1);
	assert_int_equal(ksm_stream_totals(stream, &totals), 0);
	assert_int_equal(totals.lost[KSM_LOST_LATE][KSM_EVENT_COUNTER], 1);
	assert_int_equal(ksm_stream_proc_breaks(stream, 1, NULL), 0);
	ksm_stream_close(stream);
	assert_true(ksm_proc_iter_open(&iter, err, sizeof(err)) < 0);
	assert_true(err[0]);
}

static void test_unprivileged(void **state)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!geteuid() && (setgid(65534) || setuid(65534)))
			_exit(2);
		unprivileged();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void test_whatever_is_permitted(void **state)
{
	struct ksm_stream_opts opts = { .backend = KSM_STREAM_BOTH, .totals = KSM_STREAM_ALL };
	struct ksm_totals totals;
	struct ksm_stream *stream;
	char err[256] = "";

	assert_int_equal(ksm_stream_open(&opts, &stream, err, sizeof(err)), 0);
	check_hooks(stream, true);
	assert_int_equal(ksm_stream_poll(stream, 0), 0);
	assert_int_equal(ksm_stream_totals(stream, &totals), 0);
	assert_int_equal(ksm_stream_finish(stream), 0);
	ksm_stream_close(stream);
	ksm_stream_close(NULL);
}

struct child {
	uint32_t tgid;
	struct ksm_proc_row row;
	bool there;
};

static int on_child(void *ctx, const struct ksm_proc_row *row)
{
	struct child *c = ctx;

	if (row->tgid != c->tgid)
		return 0;
	assert_false(c->there);
	c->row = *row;
	c->there = true;
	return 0;
}

static const struct ksm_proc_row *look_at(struct ksm_proc_iter *iter, struct child *c)
{
	c->there = false;
	assert_int_equal(ksm_proc_iter_read(iter, on_child, c), 0);
	assert_true(c->there);
	return &c->row;
}

/* Takes each name from @names, says so in @done, and ends with the names. */
static void be_called(int names, int done)
{
	char name[16];

	while (read(names, name, sizeof(name)) == sizeof(name))
		if (prctl(PR_SET_NAME, name) || write(done, name, 1) != 1)
			_exit(1);
	_exit(0);
}

static void call_it(const int *names, const int *done, const char *as)
{
	char name[16] = "";

	ksm_copy(name, sizeof(name), as);
	assert_int_equal(write(names[1], name, sizeof(name)), sizeof(name));
	assert_int_equal(read(done[0], name, 1), 1);
}

/* Names are read in the first pass and once in every four; a new process has one at once. */
static void test_names_of_processes(void **state)
{
	struct child self = { .tgid = (uint32_t)getpid() }, child = { 0 };
	struct ksm_proc_iter *iter;
	int names[2], done[2], named = 0;
	char err[256];

	if (ksm_proc_iter_open(&iter, err, sizeof(err)))
		skip();
	ksm_proc_iter_all(iter, true);
	ksm_proc_iter_names(iter, 4);
	assert_true(look_at(iter, &self)->named);
	assert_int_equal(self.row.ppid, getppid());
	assert_int_equal(self.row.uid, getuid());
	assert_int_equal(pipe(names) | pipe(done), 0);
	child.tgid = (uint32_t)fork();
	if (!child.tgid) {
		close(names[1]);
		be_called(names[0], done[1]);
	}
	call_it(names, done, "first");
	assert_true(look_at(iter, &child)->named);
	assert_string_equal(child.row.comm, "first");
	assert_true(child.row.start_ns > self.row.start_ns);
	call_it(names, done, "fifteen-letters");
	/* until it is not new any more */
	while (look_at(iter, &child)->named)
		usleep(10000);
	for (int i = 0; i < 8; i++) {
		if (!look_at(iter, &child)->named)
			continue;
		named++;
		assert_string_equal(child.row.comm, "fifteen-letters");
	}
	assert_int_equal(named, 2);
	close(names[1]);
	assert_int_equal(waitpid((pid_t)child.tgid, NULL, 0), child.tgid);
	ksm_proc_iter_close(iter);
}

/* Of the rungs of one event the best comes first and lacks nothing. */
static void test_ladder(void **state)
{
	for (size_t i = 0; i < ksm_rung_count; i++) {
		bool first = true;

		assert_true(ksm_rungs[i].progs[0] || ksm_rungs[i].lacks);
		for (size_t j = 0; j < i; j++)
			first &= ksm_rungs[j].type != ksm_rungs[i].type ||
				 !(ksm_rungs[j].backend & ksm_rungs[i].backend);
		if (first)
			assert_null(ksm_rungs[i].lacks);
	}
	/* What is missing when a program did not run */
	assert_int_equal(ksm_prog_type("tp_merge"), KSM_EVENT_MERGE);
	assert_int_equal(ksm_prog_type("process_fork"), KSM_EVENT_ENTER);
	assert_int_equal(ksm_prog_type("no_such"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorts),	     cmocka_unit_test(test_equal_times_keep_order),
		cmocka_unit_test(test_late),	     cmocka_unit_test(test_stop_keeps_the_rest),
		cmocka_unit_test(test_bad_options),  cmocka_unit_test(test_ladder),
		cmocka_unit_test(test_unprivileged), cmocka_unit_test(test_whatever_is_permitted),
		cmocka_unit_test(test_names_of_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
