// SPDX-License-Identifier: GPL-2.0
#include "lib/trace_names.h"

#include <string.h>

#include "lib/cgroup.h"
#include "lib/guest.h"

#define PART 24
#define PARTS_MAX ((KSM_NAME_MAX + PART - 1) / PART)

int ksm_name_tell(const struct ksm_event *comm, uint32_t kind, const char *text, ksm_event_fn fn,
		  void *ctx)
{
	struct ksm_event event = { .type = KSM_EVENT_NAME, .time = comm->time, .tgid = comm->tgid };
	size_t left = strnlen(text, KSM_NAME_MAX - 1), size;
	uint32_t part = 0;
	char bytes[PART];
	int ret;

	do {
		size = left < PART ? left : PART;
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, text, size);
		memcpy(&event.address, bytes, 8);
		memcpy(&event.pfn, bytes + 8, 8);
		memcpy(&event.n64, bytes + 16, 8);
		event.n32 = kind | part++;
		ret = fn(ctx, &event);
		text += size;
		left -= size;
	} while (!ret && size == PART);
	return ret;
}

bool ksm_name_feed(struct ksm_name *name, const struct ksm_event *event)
{
	uint32_t kind = event->n32 & ~0xffffu, part = event->n32 & 0xffff;
	size_t at = (size_t)part * PART;
	char bytes[PART];

	if (!part)
		*name = (struct ksm_name){ .tgid = event->tgid, .kind = kind };
	if (name->tgid != event->tgid || name->kind != kind || name->parts != part ||
	    part >= PARTS_MAX) {
		/* Never to be continued. */
		name->parts = UINT32_MAX;
		return false;
	}
	memcpy(bytes, &event->address, 8);
	memcpy(bytes + 8, &event->pfn, 8);
	memcpy(bytes + 16, &event->n64, 8);
	memcpy(name->text + at, bytes, KSM_NAME_MAX - at < PART ? KSM_NAME_MAX - at : PART);
	name->parts++;
	return memchr(bytes, 0, PART) != NULL;
}

int ksm_names_read(const struct ksm_io *io, const struct ksm_event *comm, ksm_event_fn fn,
		   void *ctx)
{
	char name[KSM_NAME_MAX];
	int ret = 0;

	if (!comm->tgid)
		return 0;
	if (ksm_guest_name(io, comm->tgid, name, sizeof(name)))
		ret = ksm_name_tell(comm, KSM_NAME_GUEST, name, fn, ctx);
	if (!ret && !ksm_cgroup_read(io, comm->tgid, name, sizeof(name)))
		ret = ksm_name_tell(comm, KSM_NAME_CGROUP, name, fn, ctx);
	return ret;
}
