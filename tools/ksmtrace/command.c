// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

#define NOT_FOUND 127
#define NOT_RUNNABLE 126

static int refuse(const char *name, int error)
{
	ksm_log_error("cannot run '%s': %s", name, strerror(error));
	return error == ENOENT ? NOT_FOUND : NOT_RUNNABLE;
}

static int runnable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return access(path, X_OK) ? errno : 0;
}

int command_find(const char *name)
{
	const char *dir = getenv("PATH"), *end;
	int error = ENOENT, one;
	char path[PATH_MAX];

	if (strchr(name, '/')) {
		error = runnable(name);
		return error ? refuse(name, error) : 0;
	}
	for (; dir && *dir; dir = *end ? end + 1 : end) {
		end = strchrnul(dir, ':');
		if (snprintf(path, sizeof(path), "%.*s/%s", (int)(end - dir), dir, name) >=
		    (int)sizeof(path))
			continue;
		one = runnable(path);
		if (!one)
			return 0;
		if (one == EACCES)
			error = one;
	}
	return refuse(name, error);
}

/* The pipe ends when the parent lets go, or dies: then there is nothing to run for. */
static void wait_for_go(int go)
{
	char c;

	while (read(go, &c, 1) != 1)
		if (errno != EINTR)
			_exit(NOT_RUNNABLE);
}

static void run_child(char **argv, int go, int report)
{
	struct sigaction hangup;
	int error;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	/* With nohup it stays ignored. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		signal(SIGHUP, SIG_DFL);
	errno = 0;
	wait_for_go(go);
	execvp(argv[0], argv);
	error = errno;
	if (write(report, &error, sizeof(error)) != sizeof(error))
		_exit(NOT_RUNNABLE);
	_exit(error == ENOENT ? NOT_FOUND : NOT_RUNNABLE);
}

int command_prepare(struct command *command, char **argv)
{
	int go[2], report[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(report, O_CLOEXEC) || (command->pid = fork()) < 0) {
		command->pid = 0;
		ksm_log_error("cannot start '%s': %s", argv[0], strerror(errno));
		return KSM_EXIT_FAILED;
	}
	if (!command->pid) {
		close(go[1]);
		run_child(argv, go[0], report[1]);
	}
	close(go[0]);
	close(report[1]);
	command->name = argv[0];
	command->go = go[1];
	command->report = report[0];
	return 0;
}

int command_go(struct command *command)
{
	int error = 0;

	if (write(command->go, "", 1) != 1)
		error = errno;
	close(command->go);
	/* Ends with nothing as soon as the program runs. */
	while (!error && read(command->report, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	close(command->report);
	if (!error)
		return 0;
	waitpid(command->pid, NULL, 0);
	command->pid = 0;
	return refuse(command->name, error);
}

bool command_ended(struct command *command)
{
	int status;

	if (!command->pid || waitpid(command->pid, &status, WNOHANG) != command->pid)
		return !command->pid;
	command->pid = 0;
	command->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}
