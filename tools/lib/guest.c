// SPDX-License-Identifier: GPL-2.0
#include "lib/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* Command lines of guests with many disks grow long. */
#define CMDLINE_MAX (256 * 1024)

/**
 * struct monitor - a program that runs virtual machines
 * @program: its file name, or how that begins
 * @prefix: @program is a prefix
 * @name: option with the name, without dashes
 * @id: option with another id, or NULL
 */
static const struct monitor {
	const char *program;
	bool prefix;
	const char *name;
	const char *id;
	const char *fallback;
} monitors[] = {
	{ "qemu-system-", true, "name", "id", "uuid" },
	{ "qemu-kvm", false, "name", "id", "uuid" },
	{ "kvm", false, "name", "id", "uuid" },
	{ "firecracker", false, "id", NULL, NULL },
	{ "cloud-hypervisor", false, "api-socket", NULL, NULL },
};

static const struct monitor *find_monitor(const char *program)
{
	const char *base = strrchr(program, '/');

	base = base ? base + 1 : program;
	for (size_t i = 0; i < KSM_ARRAY_SIZE(monitors); i++) {
		const struct monitor *m = &monitors[i];

		if (m->prefix ? !strncmp(base, m->program, strlen(m->program)) :
				!strcmp(base, m->program))
			return m;
	}
	return NULL;
}

/* The value of "-OPTION VALUE", "--OPTION VALUE" or "--OPTION=VALUE"; NULL when not given. */
static const char *option(const char *cmdline, size_t len, const char *wanted)
{
	const char *end = cmdline + len, *found = NULL;
	size_t n = wanted ? strlen(wanted) : 0;

	for (const char *arg = cmdline; wanted && arg < end; arg += strlen(arg) + 1) {
		const char *word = arg + (arg[0] == '-') + (arg[0] == '-' && arg[1] == '-');

		if (word == arg || strncmp(word, wanted, n))
			continue;
		if (word[n] == '=' && arg[1] == '-')
			found = word + n + 1;
		else if (!word[n] && word + n + 1 < end)
			found = word + n + 1;
	}
	return found;
}

/* QEMU's lists: "guest=web1,debug-threads=on" or "web1,process=x"; a comma inside is doubled. */
static void list_name(const char *list, char *buf, size_t size)
{
	const char *at = strncmp(list, "guest=", 6) ? strstr(list, ",guest=") : list;
	size_t n = 0;

	at = !at ? list : at + (at == list ? 6 : 7);
	for (; *at && n + 1 < size; at++) {
		if (*at == ',' && *++at != ',')
			break;
		buf[n++] = *at;
	}
	buf[n] = '\0';
}

bool ksm_guest_parse(const char *cmdline, size_t len, char *name, size_t size)
{
	const struct monitor *m = len ? find_monitor(cmdline) : NULL;
	const char *value, *id;
	char text[100] = "";

	name[0] = '\0';
	if (!m)
		return false;
	value = option(cmdline, len, m->name);
	id = option(cmdline, len, m->id);
	if (value && !strcmp(m->name, "api-socket") && strrchr(value, '/'))
		value = strrchr(value, '/') + 1;
	if (value)
		list_name(value, text, sizeof(text));
	if (text[0] && id)
		snprintf(name, size, "%s (%.20s)", text, id);
	else if (text[0])
		ksm_copy(name, size, text);
	else if (id)
		ksm_copy(name, size, id);
	else if ((value = option(cmdline, len, m->fallback)))
		ksm_copy(name, size, value);
	return true;
}

bool ksm_guest_name(const struct ksm_io *io, pid_t pid, char *name, size_t size)
{
	char path[64], *cmdline = malloc(CMDLINE_MAX);
	bool guest = false;
	ssize_t len;

	name[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	len = cmdline ? ksm_io_read(io, path, cmdline, CMDLINE_MAX) : -1;
	if (len > 0)
		guest = ksm_guest_parse(cmdline, (size_t)len, name, size);
	if (guest && !name[0])
		snprintf(name, size, "pid %d", pid);
	free(cmdline);
	return guest;
}
