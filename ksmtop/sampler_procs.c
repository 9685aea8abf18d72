// SPDX-License-Identifier: GPL-2.0
/* The processes of a sample: from the BPF task iterator, or from /proc where there is none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/attach.h"
#include "lib/procs.h"
#include "sampler_priv.h"

#define NAMES_EVERY 8 /* samples in which what a process is called is read again */
/* Processes whose mappings are walked in one sample: for the first time, and again without such. */
#define MERGEABLE_NEW 32
#define MERGEABLE_AGAIN 2

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

static void take_breaks(struct ksmtop_sampler *p, struct ksmtop_proc *row, struct who_proc *who)
{
	if (!sampler_hooked(p, KSM_EVENT_COW_BREAK))
		return;
	/* A look into the map for each process is worth it only when there was any break. */
	if (p->breaks_changed)
		who->breaks =
			ksm_stream_proc_breaks(p->totals.stream, (uint32_t)row->pid, &who->cow_ns);
	row->breaks = count_if(true, who->breaks);
	row->cow_ns = count_if(true, who->cow_ns);
}

static void keep_names(struct who_proc *who, const struct ksm_proc_row *r)
{
	who->ppid = (pid_t)r->ppid;
	who->uid = r->uid;
	who->cgroup = r->cgroup_id;
	ksm_copy(who->name, sizeof(who->name), r->comm);
}

static int iter_row(void *ctx, const struct ksm_proc_row *r)
{
	struct ksmtop_sampler *p = ctx;
	struct ksmtop_proc *row = new_row(p);
	uint64_t merge_any = atomic_load(&p->merge_any);
	struct who_proc *who;

	if (!row)
		return -ENOMEM;
	who = who_is(p->who, (pid_t)r->tgid, r->start_ns);
	if (!who)
		return -ENOMEM;
	if (r->named)
		keep_names(who, r);
	who_find(p->who, who);
	row->pid = (pid_t)r->tgid;
	row->ppid = who->ppid;
	row->start = r->start_ns;
	strcpy(row->user, who_user(p->who, who->uid));
	strcpy(row->command, who->name);
	row->merging = count_if(true, r->merging_pages);
	row->rmap_items = count_if(true, r->rmap_items);
	row->zero = count_if(p->have_zero, r->zero_pages);
	row->have_opt = r->mm_flags;
	row->opt = r->mm_flags & merge_any	  ? KSMTOP_OPT_PRCTL :
		   r->mm_flags & KSM_MM_MERGEABLE ? KSMTOP_OPT_MADVISE :
						    0;
	row->group = who->group;
	if (!row->opt)
		row->mergeable = count_if(r->mm_flags, 0);
	else
		row->mergeable = count_if(who->have_mergeable, who->mergeable);
	take_breaks(p, row, who);
	return 0;
}

static void proc_row(struct ksmtop_sampler *p, const struct ksm_proc *r)
{
	struct who_proc *who = who_is(p->who, r->tgid, 0);
	struct ksmtop_proc *row = who ? new_row(p) : NULL;

	if (!row)
		return;
	ksm_copy(who->name, sizeof(who->name), r->comm);
	who_find(p->who, who);
	row->pid = r->tgid;
	row->group = who->group;
	ksm_copy(row->user, sizeof(row->user),
		 r->present & KSM_PROC_UID ? who_user(p->who, r->uid) : "-");
	ksm_copy(row->command, sizeof(row->command), r->comm);
	row->merging = count_if(r->present & KSM_PROC_MERGING, r->merging_pages);
	row->rmap_items = count_if(r->present & KSM_PROC_RMAP_ITEMS, r->rmap_items);
	row->zero = count_if(r->present & KSM_PROC_ZERO_PAGES, r->zero_pages);
	take_breaks(p, row, who);
}

static void take_from_proc(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	int err = ksm_procs_read(&p->backend.io, &p->procs, p->all ? KSM_PROCS_ALL : 0);

	if (err) {
		sampler_note(s, "processes: /proc cannot be read: %s", strerror(-err));
		return;
	}
	for (size_t i = 0; i < p->procs.count; i++)
		proc_row(p, &p->procs.rows[i]);
	if (p->procs.reason[0])
		sampler_note(s, "processes: %s", p->procs.reason);
}

static void look_mergeable(struct ksmtop_sampler *p, struct ksmtop_proc *row, struct who_proc *who)
{
	who->looked++;
	who->have_mergeable =
		!ksm_proc_iter_mergeable(p->iter, (uint32_t)row->pid, &who->mergeable);
	row->mergeable = count_if(who->have_mergeable, who->mergeable);
}

/* Of processes not looked at yet. Return: how many were. */
static int take_mergeable_new(struct ksmtop_sampler *p)
{
	int looked = 0;

	for (size_t i = 0; i < p->nrows && looked < MERGEABLE_NEW; i++) {
		struct ksmtop_proc *row = &p->rows[i];
		struct who_proc *who;

		if (!row->opt || row->mergeable.have)
			continue;
		who = who_is(p->who, row->pid, row->start);
		if (!who || who->looked)
			continue;
		look_mergeable(p, row, who);
		looked++;
	}
	return looked;
}

/*
 * Which memory is marked mergeable changes seldom, and finding it out walks all mappings: a few
 * processes at a time, those first of which nothing is known yet.
 */
static void take_mergeable(struct ksmtop_sampler *p)
{
	int left = take_mergeable_new(p) ? 0 : MERGEABLE_AGAIN;

	for (size_t n = 0; n < p->nrows && left; n++) {
		size_t i = (p->mergeable_next + n) % p->nrows;
		struct ksmtop_proc *row = &p->rows[i];
		struct who_proc *who;

		if (!row->opt)
			continue;
		who = who_is(p->who, row->pid, row->start);
		if (!who)
			return;
		look_mergeable(p, row, who);
		p->mergeable_next = i + 1;
		left--;
	}
}

/* ---- attached ones --------------------------------------------------------------------------- */

static int by_pid(const void *a, const void *b)
{
	const struct ksm_abi_attached *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void mark_attached(struct ksmtop_sampler *p, const struct ksm_abi_attached *list,
			  size_t count)
{
	for (size_t i = 0; i < p->nrows; i++) {
		struct ksm_abi_attached key = { .pid = (uint32_t)p->rows[i].pid };

		if (!bsearch(&key, list, count, sizeof(*list), by_pid))
			continue;
		p->rows[i].have_opt = true;
		p->rows[i].opt |= KSMTOP_OPT_ATTACHED;
	}
}

/* The device is not held open: that would keep the module loaded. */
static void take_attached(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	struct ksm_abi_attached *list;
	struct ksm_error err;
	size_t count;
	int fd, ret;

	if (!ksm_io_exists(&p->backend.io, KSM_ABI_DEV))
		return;
	fd = ksm_attach_open(&p->backend.io, &err);
	if (fd < 0) {
		sampler_note(s, "attached processes: %s", err.text);
		return;
	}
	ret = ksm_attach_list(fd, &list, &count);
	close(fd);
	if (ret) {
		sampler_note(s, "attached processes: %s", strerror(-ret));
		return;
	}
	qsort(list, count, sizeof(*list), by_pid);
	if (count)
		mark_attached(p, list, count);
	free(list);
}

/* ---- a pass ---------------------------------------------------------------------------------- */

/* Return: false while it is not known whether there is one. */
static bool take_iter(struct ksmtop_sampler *p)
{
	if (!atomic_load(&p->iter_tried))
		return false;
	if (p->fresh_iter) {
		p->iter = p->fresh_iter;
		p->fresh_iter = NULL;
		ksm_proc_iter_all(p->iter, p->all);
		ksm_proc_iter_names(p->iter, NAMES_EVERY);
	}
	return true;
}

void sampler_procs(struct ksmtop_sampler *p, struct ksmtop_sample *s)
{
	int err;

	p->nrows = 0;
	p->oom = false;
	who_pass(p->who);
	s->procs = p->rows;
	if (!p->backend.fake && !take_iter(p)) {
		s->reading = true;
		return;
	}
	if (p->iter && !p->backend.fake) {
		err = ksm_proc_iter_read(p->iter, iter_row, p);
		if (err && err != -ENOMEM) {
			snprintf(p->iter_why, sizeof(p->iter_why), "%s", strerror(-err));
			ksm_proc_iter_close(p->iter);
			p->iter = NULL;
			p->nrows = 0;
		} else {
			take_mergeable(p);
		}
	}
	if (!p->iter || p->backend.fake)
		take_from_proc(p, s);
	if (!p->backend.fake)
		take_attached(p, s);
	if (!p->iter && !p->backend.fake)
		sampler_note(s, "processes read from /proc (slower): %s", p->iter_why);
	if (p->oom)
		sampler_note(s, "processes: no memory for all of them");
	s->procs = p->rows;
	s->nprocs = p->nrows;
}
