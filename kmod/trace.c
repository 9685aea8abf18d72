// SPDX-License-Identifier: GPL-2.0
/* Where the tracepoints live. */
#include "engine.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * ksme_visits_traced - somebody wants ksm_engine_visit
 *
 * The core has to make a call for each visit then, which otherwise it does not.
 *
 * Return: 0
 */
int ksme_visits_traced(void)
{
	WRITE_ONCE(ksme.core.observed, true);
	return 0;
}

/**
 * ksme_visits_untraced - nobody does any more
 */
void ksme_visits_untraced(void)
{
	WRITE_ONCE(ksme.core.observed, false);
}
