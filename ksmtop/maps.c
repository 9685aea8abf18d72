// SPDX-License-Identifier: GPL-2.0
#include "maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

struct walk {
	struct ksmtop_vma vma;
	int (*fn)(const struct ksmtop_vma *v, void *ctx);
	void *ctx;
};

static bool begins_mapping(const char *line, struct ksmtop_vma *v)
{
	unsigned long long start, end;
	int path = 0;

	if (sscanf(line, "%llx-%llx %*s %*s %*s %*s %n", &start, &end, &path) < 2)
		return false;
	*v = (struct ksmtop_vma){ .start = start, .end = end };
	if (path)
		ksm_copy(v->path, sizeof(v->path), line + path);
	return true;
}

/* A mapping is complete with its VmFlags, the last of its lines. */
static int smaps_line(const char *line, void *ctx)
{
	struct walk *w = ctx;
	uint64_t kib;

	if (begins_mapping(line, &w->vma))
		return 0;
	if (sscanf(line, "Rss: %" SCNu64 " kB", &kib) == 1)
		w->vma.rss = kib * 1024;
	else if (sscanf(line, "KSM: %" SCNu64 " kB", &kib) == 1) {
		w->vma.merged = kib * 1024;
		w->vma.have_merged = true;
	} else if (!strncmp(line, "VmFlags:", 8)) {
		w->vma.mergeable = strstr(line, " mg");
		return w->fn(&w->vma, w->ctx);
	}
	return 0;
}

int maps_each(const struct ksm_io *io, pid_t pid, int (*fn)(const struct ksmtop_vma *v, void *ctx),
	      void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	return ksm_io_each_line(io, path, smaps_line, &w);
}

static int more_telling(const void *a, const void *b)
{
	const struct ksmtop_vma *x = a, *y = b;
	uint64_t sx = x->end - x->start, sy = y->end - y->start;

	if (x->mergeable != y->mergeable)
		return x->mergeable ? -1 : 1;
	if (sx != sy)
		return sx < sy ? 1 : -1;
	return x->start < y->start ? -1 : x->start > y->start;
}

static int keep(const struct ksmtop_vma *v, void *ctx)
{
	struct ksmtop_detail *d = ctx;

	d->found++;
	if (v->mergeable)
		d->mergeable += v->end - v->start;
	if (d->nvmas < KSMTOP_VMAS)
		d->vmas[d->nvmas++] = *v;
	else if (v->mergeable) /* rather than the last one */
		d->vmas[KSMTOP_VMAS - 1] = *v;
	return 0;
}

void maps_detail(const struct ksm_io *io, pid_t pid, struct ksmtop_detail *d)
{
	uint64_t start = ksm_monotonic_ns();
	int ret;

	*d = (struct ksmtop_detail){ .pid = pid };
	ret = maps_each(io, pid, keep, d);
	if (ret == -ENOENT || ret == -ESRCH)
		snprintf(d->why, sizeof(d->why), "the process has gone");
	else if (ret == -EACCES || ret == -EPERM)
		snprintf(d->why, sizeof(d->why), "its mappings may not be read: run as root");
	else if (ret)
		snprintf(d->why, sizeof(d->why), "its mappings: %s", strerror(-ret));
	qsort(d->vmas, d->nvmas, sizeof(*d->vmas), more_telling);
	d->cost_ns = ksm_monotonic_ns() - start;
}
