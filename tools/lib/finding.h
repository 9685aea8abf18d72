/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a check found: how bad it is, why that is thought, what to do.
 */
#ifndef KSMKIT_FINDING_H
#define KSMKIT_FINDING_H

/**
 * enum ksm_verdict - how bad it is
 * @KSM_FOUND_OK: fine
 * @KSM_FOUND_NOTE: worth knowing
 * @KSM_FOUND_WRONG: it stands in the way of what was asked about
 * @KSM_FOUND_UNKNOWN: cannot be told
 */
enum ksm_verdict {
	KSM_FOUND_OK,
	KSM_FOUND_NOTE,
	KSM_FOUND_WRONG,
	KSM_FOUND_UNKNOWN,
};

/**
 * struct ksm_finding - what one check found
 * @name: of the check, stable, for scripts; NULL where the caller knows it
 * @verdict: enum ksm_verdict
 * @evidence: what it was judged by
 * @remedy: what to do, "" when nothing
 */
struct ksm_finding {
	const char *name;
	enum ksm_verdict verdict;
	char evidence[1000];
	char remedy[200];
};

/**
 * ksm_find() - set verdict and texts
 * @f: the finding; its name stays
 * @remedy: may be NULL
 * @fmt: evidence
 */
void ksm_find(struct ksm_finding *f, enum ksm_verdict verdict, const char *remedy, const char *fmt,
	      ...) __attribute__((format(printf, 4, 5)));

#endif /* KSMKIT_FINDING_H */
