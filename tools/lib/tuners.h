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
 * struct ksm_tuner - somebody who writes the same knobs
 * @running: it is at work now (a process, or the kernel's advisor); else a unit that will be at
 *	the next start of the machine
 * @pid: its process, 0 when it is none
 * @name: "ksmtuned", "ksmtuned.service", "advisor"
 * @remedy: how to stop it
 */
struct ksm_tuner {
	bool running;
	pid_t pid;
	const char *name;
	const char *remedy;
};

/* As many as ksm_tuners_find() tells of. */
#define KSM_TUNERS_MAX 16

/**
 * ksm_tuners_find() - look for processes, units and the advisor
 * @io: where
 * @s: the backend's files, for the advisor; may be NULL
 * @found: receives up to KSM_TUNERS_MAX; texts are constants
 *
 * Processes known for it: ksmtuned, uksmd, ksm-throttler, mom (oVirt), virt-handler (KubeVirt), and
 * ksmctl tune other than the caller. Return: how many.
 */
size_t ksm_tuners_find(const struct ksm_io *io, const struct ksm_counters_snapshot *s,
		       struct ksm_tuner *found);

#endif /* KSMKIT_TUNERS_H */
