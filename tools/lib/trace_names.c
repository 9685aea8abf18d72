// SPDX-License-Identifier: GPL-2.0
#include "lib/trace_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define PART 24
#define PARTS_MAX ((KSM_NAME_MAX + PART - 1) / PART)
#define CMDLINE_MAX (128u << 10)

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

/* The value of an option such as -name guest=web,debug-threads=on: what it names. */
static void option_value(const char *arg, char *name, size_t size)
{
	size_t at = 0;

	if (!strncmp(arg, "guest=", 6))
		arg += 6;
	while (*arg && at + 1 < size) {
		/* A comma that belongs to the value is written twice. */
		if (*arg == ',' && *++arg != ',')
			break;
		name[at++] = *arg++;
	}
	name[at] = '\0';
}

static bool is_qemu(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	return !strncmp(base, "qemu", 4) || !strcmp(base, "kvm");
}

bool ksm_guest_name(const char *cmdline, size_t size, char *name, size_t name_size)
{
	const char *end = cmdline + size, *next;
	bool named = false;

	*name = '\0';
	if (!size || cmdline[size - 1] || !is_qemu(cmdline))
		return false;
	for (const char *arg = cmdline; arg < end; arg = next) {
		const char *option = arg + strspn(arg, "-");

		next = arg + strlen(arg) + 1;
		if (*arg != '-' || next >= end)
			continue;
		if (!strcmp(option, "name")) {
			option_value(next, name, name_size);
			named = true;
		} else if (!strcmp(option, "id") && !named) {
			option_value(next, name, name_size);
		}
	}
	return true;
}

/* The line of cgroup 2, "0::PATH"; without it the one of the memory controller. */
static bool cgroup_path(char *text, char *path, size_t size)
{
	char *save = NULL;

	*path = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':');
		char *at = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!at)
			continue;
		*at++ = '\0';
		if (!strcmp(controllers + 1, "memory") || (!*path && !controllers[1]))
			ksm_copy(path, size, at);
	}
	return *path;
}

int ksm_names_read(const struct ksm_io *io, const struct ksm_event *comm, ksm_event_fn fn,
		   void *ctx)
{
	char path[64], name[KSM_NAME_MAX], *text;
	ssize_t size;
	int ret = 0;

	if (!comm->tgid)
		return 0;
	text = malloc(CMDLINE_MAX);
	if (!text)
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/cmdline", comm->tgid);
	size = ksm_io_read(io, path, text, CMDLINE_MAX);
	if (size > 0 && ksm_guest_name(text, size, name, sizeof(name)))
		ret = ksm_name_tell(comm, KSM_NAME_GUEST, name, fn, ctx);
	snprintf(path, sizeof(path), "/proc/%u/cgroup", comm->tgid);
	size = ret ? 0 : ksm_io_read(io, path, text, CMDLINE_MAX);
	if (size > 0 && cgroup_path(text, name, sizeof(name)))
		ret = ksm_name_tell(comm, KSM_NAME_CGROUP, name, fn, ctx);
	free(text);
	return ret;
}
