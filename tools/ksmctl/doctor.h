/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSMCTL_DOCTOR_H
#define KSMCTL_DOCTOR_H

#include "ksmctl/cmd.h"
#include "lib/procs.h"

enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WRONG };

/**
 * struct doctor_finding - what one check found
 * @level: fine, worth knowing, or a reason why nothing, little or too much merges
 * @evidence: the figures it was judged by
 * @remedy: what to do, "" when nothing
 */
struct doctor_finding {
	enum doctor_level level;
	char evidence[320];
	char remedy[160];
};

/**
 * struct doctor - what the checks look at, read once
 * @b: backend
 * @s: its files
 * @d: savings
 * @procs: processes with merged, tracked or mergeable memory
 * @procs_error: negative errno when /proc cannot be listed
 * @mergeable: bytes marked mergeable in all processes that could be read
 */
struct doctor {
	struct ksm_backend *b;
	struct ksm_counters_snapshot s;
	struct ksm_derived d;
	struct ksm_procs procs;
	int procs_error;
	uint64_t mergeable;
};

/**
 * struct doctor_check - one question
 * @name: stable, for scripts
 * @func: fills the finding, which arrives as DOCTOR_OK with empty texts
 */
struct doctor_check {
	const char *name;
	void (*func)(struct doctor *doc, struct doctor_finding *f);
};

extern const struct doctor_check doctor_checks[];
extern const unsigned int doctor_check_count;

/* Which events can be had from this kernel (doctor_hooks.c). */
void doctor_hooks(struct doctor *doc, struct doctor_finding *f);

/* Set level and texts; @remedy may be NULL. */
void doctor_find(struct doctor_finding *f, enum doctor_level level, const char *remedy,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif /* KSMCTL_DOCTOR_H */
