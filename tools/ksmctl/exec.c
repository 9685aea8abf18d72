// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl exec - run a command with its memory offered to KSM
 *
 * Where the kernel has PR_SET_MEMORY_MERGE and an exec keeps it, that is all. Elsewhere the engine
 * attaches the command: an exec makes a new address space, so that can only happen afterwards. A
 * helper waits for the exec to have happened (a pipe that it closes) and attaches then; the command
 * is this very process, with its PID, terminal and exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksmctl/cmd.h"
#include "lib/attach.h"
#include "lib/log.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

#define OPT_KEPT 256

struct exec {
	struct ksmctl *ctl;
	bool kept;
	int command; /* index into argv, 0 when none was given */
};

static const struct argp_option options_doc[] = {
	{ "kept", OPT_KEPT, NULL, OPTION_HIDDEN, "Exit 0 if PR_SET_MEMORY_MERGE is set", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct exec *exec = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = exec->ctl;
		return 0;
	case OPT_KEPT:
		exec->kept = true;
		return 0;
	case ARGP_KEY_ARG:
		/* the rest belongs to the command */
		exec->command = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (!exec->kept)
			argp_error(state, "no COMMAND given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options_doc,
	.parser = parse,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "Run a command with all of its memory offered to KSM. By PR_SET_MEMORY_MERGE, where "
	       "the kernel keeps that when a program starts another: then its children and what "
	       "they start are covered, too. Elsewhere (6.1) through the engine, which covers the "
	       "command alone: not what its children map, and not what it starts in its own "
	       "place.\v"
	       "Exit status: 127 when COMMAND is not found, 126 when it cannot be run, 1 and 2 "
	       "when ksmctl fails before that, else the command's.",
	.children = ksmctl_children,
};

/* Does an exec keep PR_SET_MEMORY_MERGE? Kernels before 6.7 lose it. */
static bool exec_keeps(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl("/proc/self/exe", "ksmctl", "exec", "--kept", NULL);
		_exit(KSM_EXIT_FAILED);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

/* 1: set, and kept; 0: this kernel cannot; -1: it failed, and it was said why. */
static int by_prctl(struct ksmctl *ctl)
{
	if (!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0)) {
		if (exec_keeps())
			return 1;
		prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
		return 0;
	}
	if (errno == EINVAL)
		return 0;
	if (ksm_seccomp_filtered(&ctl->b.io))
		ksm_log_error("prctl(PR_SET_MEMORY_MERGE): %s: refused by this session's seccomp "
			      "filter; run it outside of the sandbox",
			      strerror(errno));
	else
		ksm_log_error("prctl(PR_SET_MEMORY_MERGE): %s", strerror(errno));
	return -1;
}

/* In the helper: wait for the exec, attach. Says only what went wrong. */
static void attach_after_exec(struct ksmctl *ctl, int device, int pidfd, int pipe)
{
	struct ksm_abi_attach result;
	char given_up, reason[128];
	ssize_t got;
	int ret;

	do {
		got = read(pipe, &given_up, 1);
	} while (got < 0 && errno == EINTR);
	if (got)
		return;
	ret = ksm_attach_call(device, KSM_ABI_ATTACH, pidfd, &result);
	if (ret && ret != -ESRCH)
		ksm_log_error("exec: the command runs without merging: it %s",
			      ksm_attach_reason(&ctl->b.io, ret, reason, sizeof(reason)));
}

/*
 * Start the helper as a grandchild, so that the command has no child that it does not know of.
 * Return: the pipe's end that the exec closes, or negative errno.
 */
static int start_helper(struct ksmctl *ctl, int device, int pidfd)
{
	int fds[2], null;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		close(fds[1]);
		pid = fork();
		if (pid)
			_exit(pid < 0 ? errno : 0);
		/* Whoever reads the command's output must see its end when the command ends. */
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		attach_after_exec(ctl, device, pidfd, fds[0]);
		_exit(0);
	}
	close(fds[0]);
	if (waitpid(pid, &null, 0) != pid || null) {
		close(fds[1]);
		return -EAGAIN;
	}
	return fds[1];
}

/* Return: as start_helper(), or -1 after saying what is wrong. */
static int by_engine(struct ksmctl *ctl)
{
	struct ksm_abi_attach result;
	struct ksm_error err;
	char reason[128];
	int device = ksm_attach_open(&ctl->b.io, &err), pidfd, ret;

	if (device < 0) {
		ksm_log_error("exec: this kernel keeps no PR_SET_MEMORY_MERGE, and %s", err.text);
		return -1;
	}
	pidfd = pidfd_open(getpid(), 0);
	/* What would be refused is refused before the command runs. */
	ret = pidfd < 0 ? -errno :
			  ksm_attach_call(device, KSM_ABI_ATTACH_QUERY, pidfd, &result);
	if (!ret || ret == -ENOENT)
		ret = start_helper(ctl, device, pidfd);
	if (ret >= 0)
		return ret;
	ksm_log_error("exec: cannot attach: %s",
		      ksm_attach_reason(&ctl->b.io, ret, reason, sizeof(reason)));
	return -1;
}

int ksmctl_exec(void *ctx, int argc, char **argv)
{
	struct ksmctl *ctl = ctx;
	struct exec exec = { .ctl = ctl };
	int pipe = -1, status, set;

	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &exec))
		return KSM_EXIT_USAGE;
	if (exec.kept)
		return prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) == 1 ? KSM_EXIT_OK : KSM_EXIT_FAILED;
	status = ksmctl_open(ctl);
	if (status)
		return status;
	set = by_prctl(ctl);
	if (!set)
		pipe = by_engine(ctl);
	if (set < 0 || (!set && pipe < 0))
		return KSM_EXIT_FAILED;
	argv += exec.command;
	execvp(argv[0], argv);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	ksm_log_error("exec: %s: %s", argv[0], strerror(errno));
	/* The helper has nothing to attach. */
	if (pipe >= 0 && write(pipe, "", 1) < 0)
		ksm_log_error("exec: cannot stop the helper: %s", strerror(errno));
	return status;
}
