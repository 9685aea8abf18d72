// SPDX-License-Identifier: GPL-2.0
#include "lib/finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/util.h"

void ksm_find(struct ksm_finding *f, enum ksm_verdict verdict, const char *remedy, const char *fmt,
	      ...)
{
	va_list ap;

	f->verdict = verdict;
	ksm_copy(f->remedy, sizeof(f->remedy), remedy ? remedy : "");
	va_start(ap, fmt);
	vsnprintf(f->evidence, sizeof(f->evidence), fmt, ap);
	va_end(ap);
}
