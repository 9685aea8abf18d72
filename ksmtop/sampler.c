// SPDX-License-Identifier: GPL-2.0
#include "sampler.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io.h"
#include "lib/procs.h"
#include "lib/stream.h"

#define USERS 64 /* names remembered; looking one up may ask a server */
#define PROC_STAT "/proc/self/ksm_stat"
#define PROC_RELEASE "/proc/sys/kernel/osrelease"

#define MERGE_EVENTS                                                            \
	(KSM_STREAM_BIT(KSM_EVENT_MERGE) | KSM_STREAM_BIT(KSM_EVENT_NEW_PAGE) | \
	 KSM_STREAM_BIT(KSM_EVENT_ZERO_MERGE))
#define COUNTED_EVENTS (MERGE_EVENTS | KSM_STREAM_BIT(KSM_EVENT_COW_BREAK))

struct user {
	uid_t uid;
	char name[16];
};

/**
 * struct ksmtop_sampler - open sources
 * @spec: what the user asked for
 * @alive: @backend answered last time
 * @stream: totals of the backend's events, NULL without BPF
 * @stream_why: why not
 * @let_go: it was closed because the engine is idle
 * @iter: task iterator, NULL when /proc is read instead
 * @iter_why: why not
 * @have_zero: this kernel counts a process's zero pages
 * @procs: rows of /proc
 * @rows: rows of the sample
 * @oom: a pass was cut short for want of memory
 */
struct ksmtop_sampler {
	const char *spec;
	struct ksm_backend backend;
	bool alive;
	struct ksm_stream *stream;
	char stream_why[256];
	bool let_go;
	struct ksm_proc_iter *iter;
	char iter_why[256];
	bool have_zero;
	struct ksm_procs procs;
	struct ksmtop_proc *rows;
	size_t nrows, room;
	bool oom;
	struct user users[USERS];
	unsigned int nusers;
};

static void note(struct ksmtop_sample *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct ksmtop_sample *s, const char *fmt, ...)
{
	va_list ap;

	if (s->nnotes == KSMTOP_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(s->notes[s->nnotes++], KSMTOP_NOTE_LEN, fmt, ap);
	va_end(ap);
}

/* ---- opening ------------------------------------------------------------------------------- */

static void open_hooks(struct ksmtop_sampler *p)
{
	struct ksm_stream_opts opts = {
		.backend = p->backend.kind == KSM_BACKEND_ENGINE ? KSM_STREAM_ENGINE :
								   KSM_STREAM_KERNEL,
		.totals = COUNTED_EVENTS,
	};

	ksm_stream_close(p->stream);
	p->stream = NULL;
	p->let_go = false;
	if (p->backend.fake)
		return;
	p->stream_why[0] = '\0';
	if (ksm_stream_open(&opts, &p->stream, p->stream_why, sizeof(p->stream_why)))
		p->stream = NULL;
	if (!p->iter && ksm_proc_iter_open(&p->iter, p->iter_why, sizeof(p->iter_why)))
		p->iter = NULL;
}

static void probe_zero(struct ksmtop_sampler *p)
{
	char text[512];

	p->have_zero = ksm_io_read(&p->backend.io, PROC_STAT, text, sizeof(text)) > 0 &&
		       strstr(text, "ksm_zero_pages");
}

struct ksmtop_sampler *sampler_open(const char *spec, struct ksm_error *err)
{
	struct ksmtop_sampler *p = calloc(1, sizeof(*p));

	if (!p) {
		ksm_error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	p->spec = spec;
	if (ksm_backend_open(&p->backend, spec, err)) {
		free(p);
		return NULL;
	}
	p->alive = true;
	probe_zero(p);
	open_hooks(p);
	return p;
}

void sampler_close(struct ksmtop_sampler *p)
{
	if (!p)
		return;
	ksm_stream_close(p->stream);
	ksm_proc_iter_close(p->iter);
	ksm_procs_free(&p->procs);
	free(p->rows);
	free(p);
}

/* ---- backend ------------------------------------------------------------------------------- */

/*
 * Somebody may load the module, start the other engine or unload ours while we look. Without work
 * or without a backend the choice is made again; nothing is opened unless it comes out different.
 */
static void choose_again(struct ksmtop_sampler *p)
{
	struct ksm_backend now = { 0 };

	if (ksm_backend_open(&now, p->spec, NULL))
		return;
	if (p->alive && now.kind == p->backend.kind)
		return;
	p->backend = now;
	open_hooks(p);
}

static bool is_idle(const struct ksmtop_sample *s)
{
	return !ksm_snapshot_get(&s->counters, KSM_ABI_RUN) &&
	       !ksm_snapshot_get(&s->counters, KSM_ABI_PAGES_SHARED);
}

/*
 * Hooks in our module's tracepoints keep it loaded. While it neither scans nor holds merged pages
 * there is nothing to see, and its owner may want to unload it.
 */
static void hold_or_let_go(struct ksmtop_sampler *p, const struct ksmtop_sample *s)
{
	bool idle = !s->alive || is_idle(s);

	if (idle == p->let_go || p->backend.fake || p->backend.kind != KSM_BACKEND_ENGINE)
		return;
	if (!idle) {
		open_hooks(p);
		return;
	}
	ksm_stream_close(p->stream);
	p->stream = NULL;
	p->let_go = true;
	ksm_copy(p->stream_why, sizeof(p->stream_why), "not counted while the engine is idle");
}

static void take_counters(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	struct ksm_error err = { 0 };

	s->alive = !ksm_backend_read(&p->backend, &s->counters, &err);
	if (!s->alive || is_idle(s)) {
		p->alive = s->alive;
		choose_again(p);
		s->alive = !ksm_backend_read(&p->backend, &s->counters, &err);
	}
	p->alive = s->alive;
	hold_or_let_go(p, s);
	ksm_copy(s->backend, sizeof(s->backend), p->backend.name);
	if (!s->alive)
		note(s, "%s", err.text);
	else if (s->counters.denied)
		note(s, "some files of %s cannot be read: run as root", p->backend.dir);
	if (s->alive && !ksm_snapshot_has(&s->counters, KSM_ABI_PAGES_SCANNED))
		note(s, "scan rate: this kernel does not count pages scanned");
}

static void take_scanner(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	struct ksm_scanner scanner;

	if (!s->alive)
		return;
	if (ksm_scanner_read(&p->backend, &scanner)) {
		note(s, "scanner CPU: no thread %s is visible here", p->backend.thread);
		return;
	}
	s->scanner_ns = (struct ksmtop_count){ true, scanner.runtime };
}

/* ---- events -------------------------------------------------------------------------------- */

static bool hooked(const struct ksmtop_sampler *p, unsigned int type)
{
	const struct ksm_hook *hook = p->stream ? ksm_stream_hook(p->stream, type) : NULL;

	return hook && hook->hook;
}

static const char *why_not(const struct ksmtop_sampler *p, unsigned int type)
{
	const struct ksm_hook *hook = p->stream ? ksm_stream_hook(p->stream, type) : NULL;

	if (p->backend.fake)
		return "a fake backend has no events";
	if (hook && hook->why)
		return hook->why;
	return p->stream_why[0] ? p->stream_why : "no hook for them in this kernel";
}

static void note_hooks(const struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	const char *merges = hooked(p, KSM_EVENT_MERGE) ? NULL : why_not(p, KSM_EVENT_MERGE);
	const char *cow = hooked(p, KSM_EVENT_COW_BREAK) ? NULL : why_not(p, KSM_EVENT_COW_BREAK);

	if (merges && cow && !strcmp(merges, cow)) {
		note(s, "merges, COW breaks: %s", merges);
		return;
	}
	if (merges)
		note(s, "merges: %s", merges);
	if (cow)
		note(s, "COW breaks: %s", cow);
}

static void take_events(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	struct ksm_totals t;

	note_hooks(p, s);
	if (!p->stream || ksm_stream_totals(p->stream, &t))
		return;
	s->merges.have = hooked(p, KSM_EVENT_MERGE);
	s->breaks.have = hooked(p, KSM_EVENT_COW_BREAK);
	if (s->merges.have)
		s->merges.v = t.fired[KSM_EVENT_MERGE] + t.fired[KSM_EVENT_NEW_PAGE] +
			      t.fired[KSM_EVENT_ZERO_MERGE];
	if (s->breaks.have)
		s->breaks.v = t.fired[KSM_EVENT_COW_BREAK];
	s->lost = (struct ksmtop_count){ true, ksm_stream_lost(p->stream) };
}

/* ---- processes ----------------------------------------------------------------------------- */

static const char *user_name(struct ksmtop_sampler *p, uid_t uid)
{
	const struct passwd *pw;
	struct user *u;

	for (unsigned int i = 0; i < p->nusers; i++)
		if (p->users[i].uid == uid)
			return p->users[i].name;
	u = &p->users[p->nusers < USERS ? p->nusers++ : uid % USERS];
	u->uid = uid;
	pw = getpwuid(uid);
	if (pw)
		snprintf(u->name, sizeof(u->name), "%s", pw->pw_name);
	else
		snprintf(u->name, sizeof(u->name), "%u", uid);
	return u->name;
}

static struct ksmtop_proc *new_row(struct ksmtop_sampler *p)
{
	if (p->nrows == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct ksmtop_proc *rows = realloc(p->rows, room * sizeof(*rows));

		if (!rows) {
			p->oom = true;
			return NULL;
		}
		p->rows = rows;
		p->room = room;
	}
	p->rows[p->nrows] = (struct ksmtop_proc){ 0 };
	return &p->rows[p->nrows++];
}

static struct ksmtop_count count_if(bool have, uint64_t v)
{
	return (struct ksmtop_count){ have, have ? v : 0 };
}

static void take_breaks(struct ksmtop_sampler *p, struct ksmtop_proc *row)
{
	if (hooked(p, KSM_EVENT_COW_BREAK))
		row->breaks = count_if(true, ksm_stream_proc_breaks(p->stream, (uint32_t)row->pid));
}

static int iter_row(void *ctx, const struct ksm_proc_row *r)
{
	struct ksmtop_sampler *p = ctx;
	struct ksmtop_proc *row = new_row(p);

	if (!row)
		return -ENOMEM;
	row->pid = (pid_t)r->tgid;
	row->start = r->start_ns;
	ksm_copy(row->user, sizeof(row->user), user_name(p, r->uid));
	ksm_copy(row->command, sizeof(row->command), r->comm);
	row->merging = count_if(true, r->merging_pages);
	row->rmap_items = count_if(true, r->rmap_items);
	row->zero = count_if(p->have_zero, r->zero_pages);
	take_breaks(p, row);
	return 0;
}

static void proc_row(struct ksmtop_sampler *p, const struct ksm_proc *r)
{
	struct ksmtop_proc *row = new_row(p);

	if (!row)
		return;
	row->pid = r->tgid;
	ksm_copy(row->user, sizeof(row->user),
		 r->present & KSM_PROC_UID ? user_name(p, r->uid) : "-");
	ksm_copy(row->command, sizeof(row->command), r->comm);
	row->merging = count_if(r->present & KSM_PROC_MERGING, r->merging_pages);
	row->rmap_items = count_if(r->present & KSM_PROC_RMAP_ITEMS, r->rmap_items);
	row->zero = count_if(r->present & KSM_PROC_ZERO_PAGES, r->zero_pages);
	take_breaks(p, row);
}

static void take_from_proc(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	int err = ksm_procs_read(&p->backend.io, &p->procs, 0);

	if (err) {
		note(s, "processes: /proc cannot be read: %s", strerror(-err));
		return;
	}
	for (size_t i = 0; i < p->procs.count; i++)
		proc_row(p, &p->procs.rows[i]);
	if (p->procs.reason[0])
		note(s, "processes: %s", p->procs.reason);
}

static void take_procs(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	int err;

	p->nrows = 0;
	p->oom = false;
	if (p->iter && !p->backend.fake) {
		err = ksm_proc_iter_read(p->iter, iter_row, p);
		if (err && err != -ENOMEM) {
			snprintf(p->iter_why, sizeof(p->iter_why), "%s", strerror(-err));
			ksm_proc_iter_close(p->iter);
			p->iter = NULL;
			p->nrows = 0;
		}
	}
	if (!p->iter || p->backend.fake)
		take_from_proc(p, s);
	if (!p->iter && !p->backend.fake)
		note(s, "processes read from /proc (slower): %s", p->iter_why);
	if (p->oom)
		note(s, "processes: no memory for all of them");
	s->procs = p->rows;
	s->nprocs = p->nrows;
}

void sampler_take(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	*s = (struct ksmtop_sample){ .page_size = (uint64_t)ksm_page_size() };
	s->wall = time(NULL);
	if (ksm_io_read(&p->backend.io, PROC_RELEASE, s->kernel, sizeof(s->kernel)) < 0)
		strcpy(s->kernel, "?");
	ksm_chomp(s->kernel);
	take_counters(p, s);
	s->time_ns = ksm_monotonic_ns(); /* here: hooks may have been opened, which takes long */
	take_scanner(p, s);
	take_events(p, s);
	take_procs(p, s);
}
