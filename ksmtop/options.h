/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line.
 */
#ifndef KSMTOP_OPTIONS_H
#define KSMTOP_OPTIONS_H

#include "batch.h"

/**
 * struct options - what was asked for
 * @delay: between samples, ns
 * @frames: after which to end, 0: never
 * @replay: a recording's directory, NULL for the machine itself
 * @speed: of the replay, times real time
 * @view: to begin with
 * @all: also processes that KSM knows nothing of
 */
struct options {
	const char *backend;
	uint64_t delay;
	uint64_t frames;
	const char *replay;
	double speed;
	bool batch;
	enum batch_format format;
	int sort;
	enum ui_view view;
	bool all, tree;
	const char *filter;
	pid_t *pids;
	size_t npids;
};

/**
 * options_parse() - parse, or end with what is wrong
 */
void options_parse(struct options *o, int argc, char **argv);

#endif /* KSMTOP_OPTIONS_H */
