/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the subcommands of ksmctl share. Each lives in a file of its own and is a row in main.c.
 */
#ifndef KSMCTL_CMD_H
#define KSMCTL_CMD_H

#include <argp.h>
#include <stdbool.h>

#include "lib/backend.h"
#include "lib/headroom.h"
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

/* Subcommands (struct ksm_command): @ctx is the struct ksmctl. */
int ksmctl_status(void *ctx, int argc, char **argv);
int ksmctl_get(void *ctx, int argc, char **argv);
int ksmctl_set(void *ctx, int argc, char **argv);
int ksmctl_start(void *ctx, int argc, char **argv);
int ksmctl_stop(void *ctx, int argc, char **argv);
int ksmctl_unmerge(void *ctx, int argc, char **argv);
int ksmctl_profile(void *ctx, int argc, char **argv);
int ksmctl_engine(void *ctx, int argc, char **argv);
int ksmctl_tune(void *ctx, int argc, char **argv);
int ksmctl_metrics(void *ctx, int argc, char **argv);
int ksmctl_attach(void *ctx, int argc, char **argv);
int ksmctl_detach(void *ctx, int argc, char **argv);
int ksmctl_exec(void *ctx, int argc, char **argv);
int ksmctl_doctor(void *ctx, int argc, char **argv);
int ksmctl_estimate(void *ctx, int argc, char **argv);

/**
 * ksmctl_children - argp children with the common options, for a subcommand's struct argp
 *
 * The subcommand's parser hands struct ksmctl on at ARGP_KEY_INIT: state->child_inputs[0] = ctl.
 */
extern const struct argp_child ksmctl_children[];

/* The common options alone, for commands with further children; input: struct ksmctl. */
extern const struct argp ksmctl_argp;

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
 * ksmctl_guard() - may merged pages be given back their own copies?
 * @what: the command, as the message begins: "unmerge"
 * @h: what it needs (ksm_headroom_all(), ksm_headroom_procs())
 * @code: what that returned
 * @force: --force: go on all the same
 *
 * Prints "needs X, Y available", or why not. Return: 0, else the exit status.
 */
int ksmctl_guard(const struct ksmctl *ctl, const char *what, const struct ksm_headroom *h, int code,
		 bool force);

/* ksmctl_guard() for all that the backend of @s has merged. */
int ksmctl_guard_all(const struct ksmctl *ctl, const char *what,
		     const struct ksm_counters_snapshot *s, bool force);

/**
 * ksmctl_run_name() - the run file in words
 */
const char *ksmctl_run_name(int64_t run);

#endif /* KSMCTL_CMD_H */
