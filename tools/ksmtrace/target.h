/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is watched and for how long: the options that record, trace and stat share, and the stream
 * and the command that come out of them.
 */
#ifndef KSMTRACE_TARGET_H
#define KSMTRACE_TARGET_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "ksmtrace/command.h"
#include "lib/backend.h"
#include "lib/stream.h"

#define TARGET_PIDS_MAX 256

/**
 * struct target - zeroed at the start, then filled by target_argp
 * @spec: --backend
 * @all: --all: every process, also with a command
 * @pids: --pid
 * @pid_count: how many
 * @cgroup: --cgroup as typed, NULL for none
 * @types: --event, 0 for all
 * @seconds: --duration, 0 for no limit
 * @ring_bytes: --buffer, 0 for the default
 * @argv: command, NULL for none
 * @backends: whose counters can be read
 * @backend_count: how many
 * @mask: KSM_STREAM_KERNEL, KSM_STREAM_ENGINE
 * @stream: open after target_open()
 * @command: runs after target_start()
 * @started: when target_start() was called, CLOCK_MONOTONIC ns
 */
struct target {
	const char *spec;
	bool all;
	uint32_t pids[TARGET_PIDS_MAX];
	unsigned int pid_count;
	const char *cgroup;
	uint64_t types;
	unsigned int seconds;
	uint64_t ring_bytes;
	char **argv;
	struct ksm_backend backends[2];
	unsigned int backend_count;
	unsigned int mask;
	struct ksm_stream *stream;
	struct command command;
	uint64_t started;
};

/*
 * The options and [-- COMMAND [ARGUMENT...]]; the input is a struct target. Parse with
 * ARGP_IN_ORDER.
 */
extern const struct argp target_argp;

/**
 * target_open() - find the command, the processes, the cgroup and the engines, and open the stream
 * @fn: gets the events, NULL to have them counted only
 * @ctx: handed to @fn
 *
 * From here on SIGINT, SIGTERM and SIGHUP end the watching. Return: 0, or an exit status, with a
 * line on stderr.
 */
int target_open(struct target *t, ksm_event_fn fn, void *ctx);

/**
 * target_start() - run the command, if there is one, watched from its first instruction
 *
 * Return: 0, or an exit status with a line on stderr.
 */
int target_start(struct target *t);

/**
 * target_over() - has the command ended, the time passed, a signal come?
 *
 * A Ctrl-C reaches the command too, so it is waited for; other signals are passed on to it.
 */
bool target_over(struct target *t);

/**
 * target_watches() - would an event of this process pass the filter?
 *
 * For snapshots; a child of the command that has gone is not known any more.
 */
bool target_watches(const struct target *t, uint32_t tgid);

/**
 * target_exit() - wait for the command
 *
 * Return: its exit status, 0 without one.
 */
int target_exit(struct target *t);

/**
 * target_close() - detach everything
 */
void target_close(struct target *t);

#endif /* KSMTRACE_TARGET_H */
