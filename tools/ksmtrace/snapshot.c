// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/procs.h"

/* Microseconds that some task waited for the resource, ever; 0 without PSI. */
static uint64_t pressure(const struct ksm_io *io, const char *path)
{
	const char *total;
	char text[256];

	if (ksm_io_read(io, path, text, sizeof(text)) <= 0)
		return 0;
	total = strstr(text, "total=");
	return total ? strtoull(total + strlen("total="), NULL, 10) : 0;
}

static int snapshot_scanner(struct ksm_stream *stream, struct ksm_backend *backend)
{
	struct ksm_event event = { .type = KSM_EVENT_SCANNER, .mm = backend->kind };
	struct ksm_scanner scanner;

	if (ksm_scanner_read(backend, &scanner))
		return 0;
	event.time = ksm_monotonic_ns();
	event.n32 = scanner.pid;
	event.address = pressure(&backend->io, "/proc/pressure/memory");
	event.pfn = pressure(&backend->io, "/proc/pressure/cpu");
	event.n64 = scanner.runtime;
	return ksm_stream_inject(stream, &event);
}

int ksm_snapshot_counters(struct ksm_stream *stream, struct ksm_backend *backend,
			  struct ksm_error *err)
{
	struct ksm_event event = { .type = KSM_EVENT_COUNTER, .mm = backend->kind };
	struct ksm_counters_snapshot snapshot;
	int ret = ksm_backend_read(backend, &snapshot, err);

	if (ret)
		return ret;
	event.time = ksm_monotonic_ns();
	for (unsigned int id = 1; id < KSM_ABI_COUNT && !ret; id++) {
		if (!ksm_snapshot_has(&snapshot, id))
			continue;
		event.n32 = id;
		event.n64 = snapshot.value[id];
		ret = ksm_stream_inject(stream, &event);
	}
	if (!ret)
		ret = snapshot_scanner(stream, backend);
	return ret ? ksm_error_set(err, ret, "no memory for events") : 0;
}

static int inject_process(struct ksm_stream *stream, struct ksm_event *event, const char *comm,
			  uint64_t cgroup)
{
	struct ksm_event name = { .type = KSM_EVENT_COMM, .tgid = event->tgid, .n64 = cgroup };
	char text[16] = "";
	int ret;

	memcpy(text, comm, strnlen(comm, sizeof(text) - 1));
	memcpy(&name.address, text, 8);
	memcpy(&name.pfn, text + 8, 8);
	ksm_stream_known(stream, event->tgid);
	name.time = event->time = ksm_monotonic_ns();
	event->type = KSM_EVENT_PROCESS;
	ret = ksm_stream_inject(stream, &name);
	return ret ? ret : ksm_stream_inject(stream, event);
}

struct walk {
	struct target *target;
	struct ksm_proc_iter *iter;
};

static int on_row(void *ctx, const struct ksm_proc_row *row)
{
	struct walk *walk = ctx;
	struct ksm_event event = {
		.tgid = row->tgid,
		.n32 = row->merging_pages,
		.address = row->zero_pages,
		.pfn = row->rmap_items,
	};
	uint64_t bytes;

	if (!(row->mm_flags & KSM_MM_MERGEABLE) && !row->merging_pages && !row->zero_pages &&
	    !row->rmap_items)
		return 0;
	if (!target_watches(walk->target, row->tgid))
		return 0;
	if (!ksm_proc_iter_mergeable(walk->iter, row->tgid, &bytes))
		event.n64 = bytes;
	return inject_process(walk->target->stream, &event, row->comm, row->cgroup_id);
}

static int from_proc(struct target *t)
{
	struct ksm_procs procs = { 0 };
	int ret = ksm_procs_read(&t->backends[0].io, &procs, 0);

	for (size_t i = 0; i < procs.count && !ret; i++) {
		struct ksm_event event = {
			.tgid = procs.rows[i].tgid,
			.n32 = procs.rows[i].merging_pages,
			.address = procs.rows[i].zero_pages,
			.pfn = procs.rows[i].rmap_items,
			.n64 = procs.rows[i].mergeable_bytes,
		};

		if (target_watches(t, event.tgid))
			ret = inject_process(t->stream, &event, procs.rows[i].comm, 0);
	}
	ksm_procs_free(&procs);
	return ret;
}

int ksm_snapshot_processes(struct target *t)
{
	struct walk walk = { .target = t };
	char why[256];
	int ret;

	if (ksm_proc_iter_open(&walk.iter, why, sizeof(why)))
		return from_proc(t);
	ksm_proc_iter_all(walk.iter, true);
	ret = ksm_proc_iter_read(walk.iter, on_row, &walk);
	ksm_proc_iter_close(walk.iter);
	return ret;
}
