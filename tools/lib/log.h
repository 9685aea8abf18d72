/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the tools talk to stderr: one line, "PROGRAM: text".
 */
#ifndef KSMKIT_LOG_H
#define KSMKIT_LOG_H

#include "lib/util.h"

/* Print only with --verbose; off at start. */
extern bool ksm_log_verbose;

void ksm_log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ksm_log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ksm_log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * ksm_log_fail() - print an error's line
 *
 * Return: the exit status it asks for.
 */
int ksm_log_fail(const struct ksm_error *err);

#endif /* KSMKIT_LOG_H */
