/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who else sets KSM: two of them undo each other's work.
 */
#ifndef KSMKIT_TUNERS_H
#define KSMKIT_TUNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/backend.h"

/**
 * enum ksm_tuner_when - when it sets KSM
 * @KSM_TUNER_NOW: it is at work: a process, or the kernel's advisor
 * @KSM_TUNER_AT_START: at the next start of the machine: a unit, or a line of tmpfiles.d
 * @KSM_TUNER_WHEN_ASKED: it runs, and does so when somebody asks it to
 */
enum ksm_tuner_when {
	KSM_TUNER_NOW,
	KSM_TUNER_AT_START,
	KSM_TUNER_WHEN_ASKED,
};

/**
 * struct ksm_tuner - somebody who writes the same knobs
 * @when: enum ksm_tuner_when
 * @pid: its process, 0 when it is none
 * @name: "ksmtuned", "ksmtuned.service", "the kernel's advisor"
 * @remedy: how to stop it
 */
struct ksm_tuner {
	enum ksm_tuner_when when;
	pid_t pid;
	char name[64];
	char remedy[80];
};

/* As many as ksm_tuners_find() tells of. */
#define KSM_TUNERS_MAX 16

/**
 * ksm_tuners_find() - look for processes, units and the advisor
 * @io: where
 * @s: the backend's files, for the advisor; may be NULL
 * @found: receives up to KSM_TUNERS_MAX
 *
 * Processes known for it: ksmtuned, uksmd, ksm-throttler, mom (oVirt), virt-handler (KubeVirt),
 * libvirt's daemons, and ksmctl tune other than the caller. Enabled systemd units and tmpfiles.d by
 * what they hold. Return: how many.
 */
size_t ksm_tuners_find(const struct ksm_io *io, const struct ksm_counters_snapshot *s,
		       struct ksm_tuner *found);

#endif /* KSMKIT_TUNERS_H */
