// SPDX-License-Identifier: GPL-2.0
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

bool ksm_log_verbose;

static void log_line(const char *kind, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: %s", program_invocation_short_name, kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void ksm_log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

void ksm_log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("warning: ", fmt, ap);
	va_end(ap);
}

void ksm_log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!ksm_log_verbose)
		return;
	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

int ksm_log_fail(const struct ksm_error *err)
{
	ksm_log_error("%s", err->text);
	return ksm_error_exit(err);
}
