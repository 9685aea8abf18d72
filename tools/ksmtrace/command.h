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
 * @name: of the program
 * @go: closed to let it run
 * @report: what execve() said comes here
 * @status: exit status for the shell: its own, 128 + signal, 126 or 127
 */
struct command {
	pid_t pid;
	const char *name;
	int go;
	int report;
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
 * command_prepare() - make its process, which waits
 * @argv: NULL-terminated
 *
 * Return: 0; 1 when no process could be made, with a line on stderr.
 */
int command_prepare(struct command *command, char **argv);

/**
 * command_go() - let it run the program
 *
 * Return: 0; 126 or 127 as above.
 */
int command_go(struct command *command);

/**
 * command_ended() - has it ended? Does not wait.
 */
bool command_ended(struct command *command);

#endif /* KSMTRACE_COMMAND_H */
