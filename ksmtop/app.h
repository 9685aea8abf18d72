/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything together: where samples come from, the model, what the user does, and what that asks
 * of the machine.
 */
#ifndef KSMTOP_APP_H
#define KSMTOP_APP_H

#include "attach.h"
#include "job.h"
#include "lib/backend.h"
#include "model.h"
#include "options.h"
#include "replay.h"
#include "sampler.h"
#include "ui.h"

#define APP_SETTINGS 12

/**
 * struct app_change - knobs being written beside
 * @set: what, @count of them
 * @before: their values, for undoing
 * @undo: it is an undo itself
 * @err: filled when @ret is negative
 */
struct app_change {
	struct ksm_backend backend;
	struct ksm_setting set[APP_SETTINGS];
	char before[APP_SETTINGS][KSM_WORD_MAX];
	unsigned int count;
	bool undo;
	char what[64];
	int ret;
	struct ksm_error err;
};

/**
 * struct app - zeroed at the start
 * @sampler, @replay: one of them
 * @change_job, @join_job, @detail_job: what takes longer than a key press may; each works on the
 *	struct of its name only
 */
struct app {
	const struct options *o;
	struct ksmtop_sampler *sampler;
	struct replay *replay;
	struct ksmtop_model model;
	struct ksmtop_ui ui;
	struct screen screen;
	struct job change_job, join_job, detail_job;
	struct app_change change;
	struct attach attach;
	struct ksmtop_sharing sharing;
	struct ksmtop_detail detail;
	pid_t detail_pid;
	pid_t *join_pids;
	size_t join_count;
	struct ksm_io io;
};

/**
 * app_open() - open what the options ask for
 *
 * Return: 0 or negative errno with @err set.
 */
int app_open(struct app *a, const struct options *o, struct ksm_error *err);

void app_close(struct app *a);

/**
 * app_take() - the next sample into the model
 *
 * Return: false when there was no memory.
 */
bool app_take(struct app *a);

/**
 * app_request() - see to what the keys asked for
 */
void app_request(struct app *a);

/**
 * app_tick() - what happened beside: results of jobs, events
 *
 * Return: whether something is under way, so that it should be called again soon.
 */
bool app_tick(struct app *a);

#endif /* KSMTOP_APP_H */
