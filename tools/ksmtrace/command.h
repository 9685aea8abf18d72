/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command that a recording runs along with.
 */
#ifndef KSMTRACE_COMMAND_H
#define KSMTRACE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct command - a child process
 * @pid: 0 when there is none (any more)
 * @status: exit status for the shell: its own, 128 + signal, 126 or 127
 */
struct command {
	pid_t pid;
	int status;
};

/**
 * command_find() - would this run?
 * @name: as typed: a path, or a name for $PATH
 *
 * Return: 0; 127 when there is no such program, 126 when it may not be run (both with a line on
 * stderr).
 */
int command_find(const char *name);

/**
 * command_start() - run it
 * @argv: NULL-terminated
 *
 * Return: 0; 1 when no process could be made; 126 or 127 as above.
 */
int command_start(struct command *command, char **argv);

/**
 * command_ended() - has it ended? Does not wait.
 */
bool command_ended(struct command *command);

#endif /* KSMTRACE_COMMAND_H */
