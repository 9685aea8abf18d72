// SPDX-License-Identifier: GPL-2.0
#include "lib/tuners_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* By comm, which the kernel cuts to 15 characters; by a word of the command line where given. */
static const struct {
	const char *comm;
	const char *argument;
	const char *name;
	const char *remedy;
	enum ksm_tuner_when when;
} programs[] = {
	{ "ksmtuned", NULL, "ksmtuned", "systemctl disable --now ksmtuned", KSM_TUNER_NOW },
	{ "uksmd", NULL, "uksmd", "systemctl disable --now uksmd", KSM_TUNER_NOW },
	{ "ksm-throttler", NULL, "ksm-throttler", "systemctl stop the unit that runs it",
	  KSM_TUNER_NOW },
	{ "momd", NULL, "mom", "systemctl disable --now mom-vdsm", KSM_TUNER_NOW },
	{ "virt-handler", NULL, "KubeVirt's virt-handler",
	  "remove ksmConfiguration from the KubeVirt resource", KSM_TUNER_NOW },
	{ "ksmctl", "tune", "ksmctl tune", "systemctl stop ksmkit-tune, or end it", KSM_TUNER_NOW },
	/* its callers set KSM: virsh node-memory-tune, or a management system */
	{ "libvirtd", NULL, "libvirtd", "no virsh node-memory-tune", KSM_TUNER_WHEN_ASKED },
	{ "virtqemud", NULL, "virtqemud", "no virsh node-memory-tune", KSM_TUNER_WHEN_ASKED },
};

void ksm_tuners_add(struct ksm_tuners *t, enum ksm_tuner_when when, pid_t pid, const char *name,
		    const char *remedy)
{
	struct ksm_tuner *new;

	for (size_t i = 0; i < t->count; i++)
		if (!strcmp(t->found[i].name, name))
			return;
	if (t->count == KSM_TUNERS_MAX)
		return;
	new = &t->found[t->count++];
	new->when = when;
	new->pid = pid;
	ksm_copy(new->name, sizeof(new->name), name);
	ksm_copy(new->remedy, sizeof(new->remedy), remedy);
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
	struct ksm_tuners *t = ctx;
	char path[64], comm[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (pid == getpid() || ksm_io_read(t->io, path, comm, sizeof(comm)) < 0)
		return 0;
	ksm_chomp(comm);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(programs); i++)
		if (!strcmp(comm, programs[i].comm) &&
		    (!programs[i].argument || has_argument(t->io, pid, programs[i].argument)))
			ksm_tuners_add(t, programs[i].when, pid, programs[i].name,
				       programs[i].remedy);
	return 0;
}

size_t ksm_tuners_find(const struct ksm_io *io, const struct ksm_counters_snapshot *s,
		       struct ksm_tuner *found)
{
	struct ksm_tuners t = { .io = io, .found = found };
	char mode[KSM_WORD_MAX] = "";

	ksm_io_each_pid(io, look_at, &t);
	if (s && ksm_snapshot_has(s, KSM_ABI_ADVISOR_MODE))
		ksm_snapshot_word(s, KSM_ABI_ADVISOR_MODE, mode, sizeof(mode));
	if (!strcmp(mode, "scan-time"))
		ksm_tuners_add(&t, KSM_TUNER_NOW, 0, "the kernel's advisor",
			       "ksmctl set advisor_mode=none");
	ksm_tuners_find_units(io, &t);
	return t.count;
}
