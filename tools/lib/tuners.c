// SPDX-License-Identifier: GPL-2.0
#include "lib/tuners.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* By comm, which the kernel cuts to 15 characters; by a word of the command line where given. */
static const struct {
	const char *comm;
	const char *argument;
	const char *name;
	const char *remedy;
} programs[] = {
	{ "ksmtuned", NULL, "ksmtuned", "systemctl disable --now ksmtuned" },
	{ "uksmd", NULL, "uksmd", "systemctl disable --now uksmd" },
	{ "ksm-throttler", NULL, "ksm-throttler", "systemctl stop the unit that runs it" },
	{ "momd", NULL, "mom", "systemctl disable --now mom-vdsm" },
	{ "virt-handler", NULL, "KubeVirt's virt-handler",
	  "remove ksmConfiguration from the KubeVirt resource" },
	{ "ksmctl", "tune", "ksmctl tune", "systemctl stop ksmkit-tune, or end it" },
};

static const struct {
	const char *path;
	const char *name;
	const char *remedy;
} units[] = {
	{ "/etc/systemd/system/multi-user.target.wants/ksm.service", "ksm.service",
	  "systemctl disable --now ksm" },
	{ "/etc/systemd/system/multi-user.target.wants/ksmtuned.service", "ksmtuned.service",
	  "systemctl disable --now ksmtuned" },
	{ "/etc/systemd/system/multi-user.target.wants/uksmd.service", "uksmd.service",
	  "systemctl disable --now uksmd" },
};

struct search {
	const struct ksm_io *io;
	struct ksm_tuner *found;
	size_t count;
};

static void add(struct search *s, struct ksm_tuner tuner)
{
	if (s->count < KSM_TUNERS_MAX)
		s->found[s->count++] = tuner;
}

static bool has_argument(const struct ksm_io *io, pid_t pid, const char *argument)
{
	char path[64], text[4096];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	len = ksm_io_read(io, path, text, sizeof(text));
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(text + at) + 1)
		if (!strcmp(text + at, argument))
			return true;
	return false;
}

static int look_at(pid_t pid, void *ctx)
{
	struct search *s = ctx;
	char path[64], comm[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (pid == getpid() || ksm_io_read(s->io, path, comm, sizeof(comm)) < 0)
		return 0;
	ksm_chomp(comm);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(programs); i++)
		if (!strcmp(comm, programs[i].comm) &&
		    (!programs[i].argument || has_argument(s->io, pid, programs[i].argument)))
			add(s,
			    (struct ksm_tuner){ true, pid, programs[i].name, programs[i].remedy });
	return 0;
}

size_t ksm_tuners_find(const struct ksm_io *io, const struct ksm_counters_snapshot *snapshot,
		       struct ksm_tuner *found)
{
	struct search s = { .io = io, .found = found };
	char mode[KSM_WORD_MAX] = "";

	ksm_io_each_pid(io, look_at, &s);
	if (snapshot && ksm_snapshot_has(snapshot, KSM_ABI_ADVISOR_MODE))
		ksm_snapshot_word(snapshot, KSM_ABI_ADVISOR_MODE, mode, sizeof(mode));
	if (!strcmp(mode, "scan-time"))
		add(&s, (struct ksm_tuner){ true, 0, "the kernel's advisor",
					    "ksmctl set advisor_mode=none" });
	for (size_t i = 0; i < KSM_ARRAY_SIZE(units); i++)
		if (ksm_io_exists(io, units[i].path))
			add(&s, (struct ksm_tuner){ false, 0, units[i].name, units[i].remedy });
	return s.count;
}
