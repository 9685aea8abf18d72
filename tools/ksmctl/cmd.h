/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the subcommands of ksmctl share. Each lives in a file of its own and is a row in main.c.
 */
#ifndef KSMCTL_CMD_H
#define KSMCTL_CMD_H

#include <argp.h>
#include <stdbool.h>

#include "lib/backend.h"
#include "lib/util.h"

/**
 * struct ksmctl - the options that every subcommand takes, and what they led to
 * @spec: --backend, NULL for auto
 * @json: --json
 * @b: filled by ksmctl_open()
 */
struct ksmctl {
	const char *spec;
	bool json;
	struct ksm_backend b;
};

/**
 * struct ksmctl_cmd - a subcommand
 * @name: as typed
 * @func: argv[0] is "ksmctl NAME"; returns the exit status
 * @help: one line for the list
 */
struct ksmctl_cmd {
	const char *name;
	int (*func)(struct ksmctl *ctl, int argc, char **argv);
	const char *help;
};

int ksmctl_status(struct ksmctl *ctl, int argc, char **argv);
int ksmctl_get(struct ksmctl *ctl, int argc, char **argv);
int ksmctl_set(struct ksmctl *ctl, int argc, char **argv);
int ksmctl_start(struct ksmctl *ctl, int argc, char **argv);
int ksmctl_stop(struct ksmctl *ctl, int argc, char **argv);
int ksmctl_unmerge(struct ksmctl *ctl, int argc, char **argv);
int ksmctl_doctor(struct ksmctl *ctl, int argc, char **argv);

/**
 * ksmctl_children - argp children with the common options, for a subcommand's struct argp
 *
 * The subcommand's parser hands struct ksmctl on at ARGP_KEY_INIT: state->child_inputs[0] = ctl.
 */
extern const struct argp_child ksmctl_children[];

/**
 * ksmctl_open() - open the backend that was asked for
 *
 * Return: 0, else the exit status, the error being printed.
 */
int ksmctl_open(struct ksmctl *ctl);

/**
 * ksmctl_parse_seconds() - value of an option in whole seconds, 1 to a year; ends the program
 * through argp when it is no such number
 */
unsigned int ksmctl_parse_seconds(struct argp_state *state, const char *option, const char *arg);

/**
 * ksmctl_run_name() - the run file in words
 */
const char *ksmctl_run_name(int64_t run);

#endif /* KSMCTL_CMD_H */
