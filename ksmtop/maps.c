// SPDX-License-Identifier: GPL-2.0
#include "maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pagemap.h"
#include "lib/util.h"

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

static int keep(const struct ksm_mapping *map, void *ctx)
{
	struct ksmtop_detail *d = ctx;
	struct ksmtop_vma vma = { .start = map->start,
				  .end = map->end,
				  .rss = map->rss,
				  .merged = map->ksm,
				  .have_merged = map->ksm,
				  .mergeable = map->flags & KSM_MAP_MERGEABLE };
	const struct ksmtop_vma *v = &vma;

	if (map->start >> 63) /* the kernel's own page that everybody sees */
		return 0;
	ksm_copy(vma.path, sizeof(vma.path), map->name);

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
	ret = ksm_mappings_each(io, pid, keep, d);
	if (ret == -ENOENT || ret == -ESRCH)
		snprintf(d->why, sizeof(d->why), "the process has gone");
	else if (ret == -EACCES || ret == -EPERM)
		snprintf(d->why, sizeof(d->why), "its mappings may not be read: run as root");
	else if (ret)
		snprintf(d->why, sizeof(d->why), "its mappings: %s", strerror(-ret));
	qsort(d->vmas, d->nvmas, sizeof(*d->vmas), more_telling);
	d->cost_ns = ksm_monotonic_ns() - start;
}
