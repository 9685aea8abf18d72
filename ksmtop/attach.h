/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attaching and detaching the process under the cursor, in two steps: what it takes is found out
 * and asked; what was answered with yes is done beside.
 */
#ifndef KSMTOP_ATTACH_H
#define KSMTOP_ATTACH_H

#include "job.h"
#include "lib/attach.h"
#include "lib/backend.h"
#include "ui.h"

/**
 * struct attach - zeroed at the start but for @pidfd, which is -1
 * @job: does it
 * @op: KSM_ABI_ATTACH or KSM_ABI_DETACH
 * @pid, @name: the process that was asked about
 * @pidfd: it, whoever gets its number meanwhile
 * @io: where
 * @failed: it went wrong, as @text says
 * @text: what came out
 */
struct attach {
	struct job job;
	unsigned int op;
	pid_t pid;
	char name[64];
	int pidfd;
	struct ksm_io io;
	bool failed;
	char text[256];
};

/**
 * attach_ask() - find out whether it can be done, and ask the user
 * @b: a fake one has no processes
 * @ui: is asked (ASK_ATTACH_NOW, ASK_DETACH_NOW), or told why not
 * @r: ASK_ATTACH or ASK_DETACH
 *
 * A detach that needs more memory than there is, is refused.
 */
void attach_ask(struct attach *at, const struct ksm_backend *b, struct ksmtop_ui *ui,
		const struct ui_request *r);

/**
 * attach_start() - do what attach_ask() asked
 */
void attach_start(struct attach *at, struct ksmtop_ui *ui);

/**
 * attach_tick() - tell the user once it is done
 *
 * Return: whether that was now.
 */
bool attach_tick(struct attach *at, struct ksmtop_ui *ui);

/* Wait for what is under way, and let go of the process. */
void attach_close(struct attach *at);

#endif /* KSMTOP_ATTACH_H */
