/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of ksmtrace. Each parses its own options and returns an exit status.
 */
#ifndef KSMTRACE_CMD_H
#define KSMTRACE_CMD_H

/**
 * struct ksmtrace_cmd - one command
 * @name: as typed
 * @func: gets its own argv, [0] being "ksmtrace NAME"
 * @help: one line
 */
struct ksmtrace_cmd {
	const char *name;
	int (*func)(int argc, char **argv);
	const char *help;
};

int ksmtrace_record(int argc, char **argv);
int ksmtrace_print(int argc, char **argv);
int ksmtrace_list(int argc, char **argv);

#endif /* KSMTRACE_CMD_H */
