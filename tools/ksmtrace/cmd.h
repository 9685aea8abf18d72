/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of ksmtrace. Each parses its own options and returns an exit status.
 */
#ifndef KSMTRACE_CMD_H
#define KSMTRACE_CMD_H

/* Commands (struct ksm_command) without a context. */
int ksmtrace_record(void *ctx, int argc, char **argv);
int ksmtrace_report(void *ctx, int argc, char **argv);
int ksmtrace_trace(void *ctx, int argc, char **argv);
int ksmtrace_stat(void *ctx, int argc, char **argv);
int ksmtrace_export(void *ctx, int argc, char **argv);
int ksmtrace_print(void *ctx, int argc, char **argv);
int ksmtrace_list(void *ctx, int argc, char **argv);

#endif /* KSMTRACE_CMD_H */
