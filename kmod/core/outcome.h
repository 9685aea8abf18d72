/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What became of one candidate page. Every visit ends in exactly one outcome; the outcome is
 * counted once and told once (the tracepoint ksm_engine_visit).
 */
#ifndef KSM_CORE_OUTCOME_H
#define KSM_CORE_OUTCOME_H

/* X(ID, text) */
#define KSM_OUTCOMES(X)                                                        \
	X(ALREADY, "already merged")                                           \
	X(FORKED, "KSM page inherited by fork, now tracked")                   \
	X(MERGED, "merged into a KSM page")                                    \
	X(NEW_PAGE, "merged with an equal page into a new KSM page")           \
	X(ZERO, "replaced by the zero page")                                   \
	X(SKIPPED, "skipped: not merged in many passes")                       \
	X(FIRST_SEEN, "seen for the first time")                               \
	X(VOLATILE, "changed since the last look")                             \
	X(UNSHARED, "no equal page found")                                     \
	X(DEFERRED, "in a huge page with too few equal ones, or its equal is") \
	X(RACED, "an equal page was found and lost: contended or changed")     \
	X(PINNED, "has references KSM cannot account for")                     \
	X(GONE, "no longer mapped in a mergeable area")                        \
	X(NOMEM, "no memory to track it")                                      \
	X(ORPHAN, "KSM page of an unloaded engine, unshared")                  \
	X(FOREIGN, "KSM page of another merge domain, unshared")               \
	X(REFUSED, "merging failed for another reason")

enum ksm_outcome {
#define X(ID, text) KSM_OUTCOME_##ID,
	KSM_OUTCOMES(X)
#undef X
	KSM_NR_OUTCOMES
};

#endif /* KSM_CORE_OUTCOME_H */
