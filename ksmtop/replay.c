// SPDX-License-Identifier: GPL-2.0
/*
 * The library's reader gives a whole trace to a callback. Here it does so in a thread of its own,
 * which is stopped by the bounded queue between the two when nobody takes the events.
 */
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ctf.h"
#include "lib/trace_file.h"
#include "replay_state.h"

#define BLOCK 4096 /* events handed over at once */

/**
 * struct block - events on their way
 * @full: belongs to the taker
 */
struct block {
	struct ksm_event events[BLOCK];
	size_t count;
	bool full;
};

/**
 * struct replay - see replay.h
 * @blocks: filled and taken in turn
 * @lock, @changed: for @full of the blocks, @stop and @ended
 * @stop: the reader is to give up
 * @ended: it has nothing more to give; @ret and @err say how it ended
 * @filling, @taking: blocks of the two sides; @at is the next event of the latter
 * @state: what the events add up to
 * @rows: of the last sample
 */
struct replay {
	char *dir;
	struct ksm_trace_info info;
	uint64_t from, to;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct block blocks[2];
	bool stop, ended;
	int ret;
	struct ksm_error err;
	unsigned int filling, taking;
	size_t at;
	struct replay_state state;
	struct ksmtop_proc *rows;
	size_t room;
};

/* ---- the reader's side --------------------------------------------------------------------- */

/* Hand the block over and wait for the other one. Return: false when it is to stop. */
static bool hand_over(struct replay *r)
{
	struct block *next;
	bool go;

	pthread_mutex_lock(&r->lock);
	r->blocks[r->filling].full = true;
	r->filling ^= 1;
	next = &r->blocks[r->filling];
	pthread_cond_signal(&r->changed);
	while (next->full && !r->stop)
		pthread_cond_wait(&r->changed, &r->lock);
	go = !r->stop;
	pthread_mutex_unlock(&r->lock);
	next->count = 0;
	return go;
}

static int on_event(void *ctx, const struct ksm_event *event)
{
	struct replay *r = ctx;
	struct block *b = &r->blocks[r->filling];

	b->events[b->count++] = *event;
	return b->count == BLOCK && !hand_over(r);
}

static void *read_all(void *arg)
{
	struct replay *r = arg;

	r->err = (struct ksm_error){ 0 };
	r->ret = ksm_trace_read(r->dir, &r->info, on_event, r, &r->err);
	if (!r->stop && r->blocks[r->filling].count)
		hand_over(r);
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void stop_reader(struct replay *r)
{
	if (!r->running)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	r->running = false;
}

static bool start_reader(struct replay *r)
{
	r->stop = r->ended = false;
	r->filling = r->taking = 0;
	r->at = 0;
	r->blocks[0].full = r->blocks[1].full = false;
	r->blocks[0].count = r->blocks[1].count = 0;
	r->running = !pthread_create(&r->thread, NULL, read_all, r);
	return r->running;
}

/* ---- the taker's side ---------------------------------------------------------------------- */

/* The block to take from; waits for it. NULL at the end. */
static struct block *current(struct replay *r)
{
	struct block *b = &r->blocks[r->taking];

	if (r->at && r->at == b->count) {
		pthread_mutex_lock(&r->lock);
		b->full = false;
		pthread_cond_signal(&r->changed);
		pthread_mutex_unlock(&r->lock);
		r->taking ^= 1;
		r->at = 0;
		b = &r->blocks[r->taking];
	}
	if (r->at)
		return b;
	pthread_mutex_lock(&r->lock);
	while (!b->full && !r->ended)
		pthread_cond_wait(&r->changed, &r->lock);
	if (!b->full)
		b = NULL;
	pthread_mutex_unlock(&r->lock);
	return b;
}

bool replay_forward(struct replay *r, uint64_t until, ksm_event_fn fn, void *ctx)
{
	struct block *b;

	while (r->running && (b = current(r))) {
		for (; r->at < b->count; r->at++) {
			const struct ksm_event *e = &b->events[r->at];

			if (e->time > until)
				return true;
			replay_state_take(&r->state, e);
			if (fn)
				fn(ctx, e);
		}
	}
	return false;
}

void replay_rewind(struct replay *r)
{
	stop_reader(r);
	replay_state_reset(&r->state);
	start_reader(r);
}

/* ---- samples ------------------------------------------------------------------------------- */

static struct ksmtop_count count(int64_t v)
{
	return (struct ksmtop_count){ true, v > 0 ? (uint64_t)v : 0 };
}

static void add_row(struct replay *r, size_t n, const struct replay_proc *p)
{
	struct ksmtop_proc *row = &r->rows[n];

	*row = (struct ksmtop_proc){ .pid = p->pid, .group = p->group };
	ksm_copy(row->user, sizeof(row->user), "-");
	ksm_copy(row->command, sizeof(row->command), p->comm);
	row->merging = count(p->merging);
	row->zero = count(p->zero);
	row->rmap_items = count(p->items);
	row->rmap_items.have = p->items > 0;
	row->breaks = count((int64_t)p->breaks);
	row->cow_ns = count((int64_t)p->cow_ns);
	row->mergeable = count((int64_t)p->mergeable);
	row->mergeable.have = p->mergeable;
}

static void take_rows(struct replay *r, struct ksmtop_sample *s)
{
	size_t n = 0;

	if (r->state.nprocs > r->room) {
		struct ksmtop_proc *rows =
			reallocarray(r->rows, r->state.nprocs * 2, sizeof(*rows));

		if (!rows)
			return;
		r->rows = rows;
		r->room = r->state.nprocs * 2;
	}
	for (size_t i = 0; i < REPLAY_PROCS; i++) {
		const struct replay_proc *p = &r->state.procs[i];

		if (p->pid && (p->known || p->merging || p->zero || p->breaks))
			add_row(r, n++, p);
	}
	s->procs = r->rows;
	s->nprocs = n;
}

static void note(struct ksmtop_sample *s, const char *text)
{
	if (s->nnotes < KSMTOP_NOTES)
		ksm_copy(s->notes[s->nnotes++], KSMTOP_NOTE_LEN, text);
}

void replay_sample(struct replay *r, uint64_t at, struct ksmtop_sample *s)
{
	unsigned int kind = replay_state_engine(&r->state);
	const struct replay_engine *e = &r->state.engines[kind];
	const char *release = ksm_trace_env_get(&r->info, "kernel_release");
	const char *page = ksm_trace_env_get(&r->info, "page_size");

	*s = (struct ksmtop_sample){ .time_ns = at };
	if (!page || ksm_parse_u64(page, &s->page_size) || !s->page_size)
		s->page_size = (uint64_t)ksm_page_size();
	s->wall = ((int64_t)at + r->info.wall_offset) / 1000000000;
	ksm_copy(s->kernel, sizeof(s->kernel), release ? release : "?");
	ksm_copy(s->backend, sizeof(s->backend), ksm_backend_kind_name(kind));
	s->counters = e->counters;
	s->alive = e->counters.present;
	s->scanner_ns = e->scanner_ns;
	s->merges = count((int64_t)r->state.merges);
	s->breaks = count((int64_t)r->state.breaks);
	s->lost = count((int64_t)r->state.lost);
	s->have_latency = true;
	s->latency = r->state.latency;
	take_rows(r, s);
	if (!s->alive)
		note(s, "the recording has no counters up to here");
	if (r->state.crowded)
		note(s, "more processes than can be kept: some are not shown");
	if (r->ended && r->ret < 0)
		note(s, r->err.text);
}

/* ---- life ---------------------------------------------------------------------------------- */

/*
 * The packets' own headers say when the recording ends. What is damaged or cut short ends earlier;
 * the reader will say so.
 */
static void find_end(struct replay *r)
{
	char path[PATH_MAX];
	struct ctf_packet p;
	off_t at = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", r->dir, KSM_TRACE_STREAM);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	while (fd >= 0 && pread(fd, &p, sizeof(p), at) == sizeof(p)) {
		if (p.magic != CTF_MAGIC || p.packet_bits / 8 < sizeof(p) || p.end < r->to ||
		    p.packet_bits / 8 > CTF_PACKET_MAX)
			break;
		if (!r->from && p.packet_bits / 8 > sizeof(p))
			r->from = p.begin;
		r->to = p.end;
		at += (off_t)(p.packet_bits / 8);
	}
	if (fd >= 0)
		close(fd);
	if (r->to < r->from)
		r->to = r->from;
}

static int check_readable(struct replay *r, struct ksm_error *err)
{
	struct block *b = current(r);

	if (b || !r->ret)
		return 0;
	*err = r->err;
	return r->ret;
}

struct replay *replay_open(const char *dir, struct ksm_error *err)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!r || !(r->dir = strdup(dir)) || !replay_state_init(&r->state)) {
		ksm_error_set(err, -ENOMEM, "no memory");
		goto fail;
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	if (ksm_trace_read_info(dir, &r->info, err))
		goto fail;
	find_end(r);
	if (!start_reader(r)) {
		ksm_error_set(err, -EAGAIN, "no thread to read %s in", dir);
		goto fail;
	}
	if (check_readable(r, err))
		goto fail;
	return r;
fail:
	replay_close(r);
	return NULL;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	stop_reader(r);
	replay_state_free(&r->state);
	free(r->rows);
	free(r->dir);
	free(r);
}

uint64_t replay_from(const struct replay *r)
{
	return r->from;
}

uint64_t replay_to(const struct replay *r)
{
	return r->to;
}
