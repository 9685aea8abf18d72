// SPDX-License-Identifier: GPL-2.0
/* A program interrupted between its place in the ring and its event keeps all behind it waiting. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "lib/stream_priv.h"
#include "lib/util.h"

#include "hold.skel.h"

struct seen {
	uint64_t last;
	unsigned int late, at_once, lost;
};

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct seen *seen = ctx;

	assert_true(event->time >= seen->last);
	seen->last = event->time;
	seen->late += event->type == KSM_EVENT_ADVISOR;
	seen->at_once += event->type == KSM_EVENT_SWAPIN_COPY;
	if (event->type == KSM_EVENT_LOST)
		seen->lost += event->n64;
	return 0;
}

static struct hold_bpf *load(struct ksm_stream *stream)
{
	struct hold_bpf *skel = hold_bpf__open();
	__auto_type maps = &stream->skel->maps;

	assert_non_null(skel);
	assert_int_equal(bpf_map__reuse_fd(skel->maps.ring, bpf_map__fd(maps->ring)), 0);
	assert_int_equal(bpf_map__reuse_fd(skel->maps.fired, bpf_map__fd(maps->fired)), 0);
	assert_int_equal(hold_bpf__load(skel), 0);
	return skel;
}

static void run(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), 0);
	assert_int_equal(opts.retval, 0);
}

static void *run_late(void *skel)
{
	run(((struct hold_bpf *)skel)->progs.emit_late);
	return NULL;
}

static void test_held_up(void **state)
{
	struct seen seen = { 0 };
	struct ksm_stream_opts opts = {
		.backend = KSM_STREAM_BOTH,
		.events = KSM_STREAM_BIT(KSM_EVENT_ADVISOR) | KSM_STREAM_BIT(KSM_EVENT_SWAPIN_COPY),
		.fn = on_event,
		.ctx = &seen,
	};
	struct ksm_stream *stream;
	struct hold_bpf *skel;
	char err[256] = "";
	pthread_t thread;

	assert_int_equal(ksm_stream_open(&opts, &stream, err, sizeof(err)), 0);
	skel = load(stream);
	assert_int_equal(pthread_create(&thread, NULL, run_late, skel), 0);
	while (!skel->bss->held)
		assert_int_equal(ksm_stream_poll(stream, 1), 0);
	for (int i = 0; i < 10; i++) {
		run(skel->progs.emit_at_once);
		assert_int_equal(ksm_stream_poll(stream, 50), 0);
	}
	assert_int_equal(seen.late + seen.at_once, 0);
	skel->bss->release = 1;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(ksm_stream_finish(stream), 0);
	assert_int_equal(seen.late, 1);
	assert_int_equal(seen.at_once, 10);
	assert_int_equal(seen.lost, 0);
	assert_int_equal(ksm_stream_lost(stream), 0);
	hold_bpf__destroy(skel);
	ksm_stream_close(stream);
}

/* Nothing to test where programs cannot be loaded: a skip, with its reason. */
static bool can_load(void)
{
	struct ksm_stream_opts opts = { .backend = KSM_STREAM_KERNEL,
					.totals = KSM_STREAM_BIT(KSM_EVENT_ENTER) };
	struct ksm_stream *stream;
	char err[256] = "";
	bool can = false;

	if (ksm_stream_open(&opts, &stream, err, sizeof(err))) {
		puts(err);
		return false;
	}
	can = stream->ring;
	if (!can)
		puts(stream->hooks[0].why);
	ksm_stream_close(stream);
	return can;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_held_up) };

	if (!can_load())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
