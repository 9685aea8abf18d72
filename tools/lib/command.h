/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs made of subcommands: one table per program gives the help, the dispatch and the
 * suggestion for a mistyped name.
 */
#ifndef LIB_COMMAND_H
#define LIB_COMMAND_H

#include <argp.h>
#include <stddef.h>

/**
 * struct ksm_command - a subcommand
 * @name: as typed
 * @func: gets the program's context and its own argv, [0] being "PROGRAM NAME"; returns the
 *	exit status
 * @help: one line for the list
 */
struct ksm_command {
	const char *name;
	int (*func)(void *ctx, int argc, char **argv);
	const char *help;
};

/**
 * struct ksm_program - a program and its subcommands
 * @name: as typed
 * @doc: one sentence for --help
 * @commands: the table
 * @nr: entries of @commands
 * @children: options that may stand before the subcommand, or NULL; their input is the context
 */
struct ksm_program {
	const char *name;
	const char *doc;
	const struct ksm_command *commands;
	size_t nr;
	const struct argp_child *children;
};

/**
 * ksm_program_main() - what main() does
 * @program: the program
 * @ctx: handed to the options' parser and to the subcommand
 * @argc: of main()
 * @argv: of main()
 *
 * Return: the exit status: the subcommand's; KSM_EXIT_USAGE for a command line that is wrong;
 * KSM_EXIT_FAILED when all went well but the output could not be written.
 */
int ksm_program_main(const struct ksm_program *program, void *ctx, int argc, char **argv);

#endif /* LIB_COMMAND_H */
