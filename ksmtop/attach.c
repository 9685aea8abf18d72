// SPDX-License-Identifier: GPL-2.0
#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "keys.h"
#include "lib/format.h"
#include "lib/headroom.h"

static void let_go(struct attach *at)
{
	if (at->pidfd >= 0)
		close(at->pidfd);
	at->pidfd = -1;
}

void attach_close(struct attach *at)
{
	job_wait(&at->job);
	let_go(at);
}

static void explain(const struct attach *at, int code, char *text, size_t size)
{
	char reason[128];

	snprintf(text, size, "%d (%s): %s", (int)at->pid, at->name,
		 ksm_attach_reason(&at->io, code, reason, sizeof(reason)));
}

/*
 * One call on the process. The device is closed again: it would keep the module loaded.
 *
 * Return: 0, what the engine answered, or 1 when it could not be asked; @text then says why not.
 */
static int call(const struct attach *at, unsigned int op, struct ksm_abi_attach *result, char *text,
		size_t size)
{
	struct ksm_error err;
	int fd = ksm_attach_open(&at->io, &err), ret;

	if (fd < 0) {
		ksm_copy(text, size, err.text);
		return 1;
	}
	ret = ksm_attach_call(fd, op, at->pidfd, result);
	close(fd);
	if (ret)
		explain(at, ret, text, size);
	return ret;
}

/* ---- asking -------------------------------------------------------------------------------- */

/* What it is called now: who was seen in the table may have ended, and its number be another's. */
static void read_name(struct attach *at)
{
	char path[32], comm[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)at->pid);
	if (ksm_io_read(&at->io, path, comm, sizeof(comm)) <= 0)
		ksm_copy(comm, sizeof(comm), "?");
	ksm_chomp(comm);
	ksm_format_safe(at->name, sizeof(at->name), comm);
}

/* Return: false when the user was told why not. */
static bool take_hold(struct attach *at, struct ksmtop_ui *ui)
{
	char pid[16], text[160];
	struct ksm_selection selection = { .pids = pid };

	let_go(at);
	snprintf(pid, sizeof(pid), "%d", (int)at->pid);
	at->pidfd = ksm_attach_pidfd(&at->io, &selection, at->pid);
	read_name(at);
	if (at->pidfd >= 0)
		return true;
	explain(at, at->pidfd, text, sizeof(text));
	ui_say(ui, true, "%s", text);
	return false;
}

static void ask_detach(struct attach *at, struct ksmtop_ui *ui, const struct ui_request *now,
		       uint64_t pages)
{
	struct ksm_proc proc = { .tgid = at->pid, .merging_pages = pages };
	char text[KSM_HEADROOM_TEXT];
	struct ksm_headroom h;

	if (ksm_headroom_procs(&at->io, &proc, 1, &h)) {
		ui_say(ui, true, "cannot tell how much memory is available: ksmctl detach --force");
		return;
	}
	ksm_headroom_text(text, sizeof(text), &h);
	if (ksm_headroom_fits(&h))
		keys_confirm(ui, *now, "Detach %d (%s)? It %s.", (int)at->pid, at->name, text);
	else
		ui_say(ui, true,
		       "detaching %d (%s) %s: free memory first, or ksmctl detach --force",
		       (int)at->pid, at->name, text);
}

void attach_ask(struct attach *at, const struct ksm_backend *b, struct ksmtop_ui *ui,
		const struct ui_request *r)
{
	struct ui_request now = { .pid = r->pid };
	struct ksm_abi_attach is;
	char text[256];
	int ret;

	if (b->fake) {
		ui_say(ui, true, "the processes of a fake backend cannot be attached or detached");
		return;
	}
	if (at->job.running) {
		ui_say(ui, true, "still at it: %d (%s)", (int)at->pid, at->name);
		return;
	}
	at->io = b->io;
	at->pid = r->pid;
	at->op = r->ask == ASK_ATTACH ? KSM_ABI_ATTACH : KSM_ABI_DETACH;
	now.ask = r->ask == ASK_ATTACH ? ASK_ATTACH_NOW : ASK_DETACH_NOW;
	if (!take_hold(at, ui))
		return;
	ret = call(at, KSM_ABI_ATTACH_QUERY, &is, text, sizeof(text));
	if (ret && !(ret == -ENOENT && at->op == KSM_ABI_ATTACH))
		ui_say(ui, true, "%s", text);
	else if (at->op == KSM_ABI_DETACH)
		ask_detach(at, ui, &now, is.pages);
	else
		keys_confirm(ui, now, "Make all anonymous memory of %d (%s) mergeable?%s",
			     (int)at->pid, at->name, ret ? "" : " It is attached already.");
}

/* ---- doing --------------------------------------------------------------------------------- */

static void work(void *arg)
{
	struct attach *at = arg;
	struct ksm_abi_attach result;
	char text[KSM_FORMAT_MAX];

	at->failed = call(at, at->op, &result, at->text, sizeof(at->text));
	if (at->failed)
		return;
	if (at->op == KSM_ABI_ATTACH)
		ksm_format_bytes(text, sizeof(text), (int64_t)result.bytes);
	else
		ksm_format_count(text, sizeof(text), (int64_t)result.pages);
	snprintf(at->text, sizeof(at->text),
		 at->op == KSM_ABI_ATTACH ? "done: %d (%s) attached, %s marked mergeable" :
					    "done: %d (%s) detached, %s pages copied",
		 (int)at->pid, at->name, text);
}

void attach_start(struct attach *at, struct ksmtop_ui *ui)
{
	if (at->pidfd < 0 || !job_start(&at->job, work, at))
		ui_say(ui, true, "the machine is too busy to do it");
}

bool attach_tick(struct attach *at, struct ksmtop_ui *ui)
{
	if (!job_over(&at->job))
		return false;
	let_go(at);
	ui_say(ui, at->failed, "%s", at->text);
	return true;
}
