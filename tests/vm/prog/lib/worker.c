// SPDX-License-Identifier: GPL-2.0
/* Processes that obey one command at a time. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

struct request {
	int cmd;
	long arg;
};

static void serve(int fd, worker_fn fn, void *ctx)
{
	struct request req;
	long answer;

	/* Later workers inherit the other end, so that it never reads as closed: 0 is the end. */
	while (read(fd, &req, sizeof(req)) == sizeof(req) && req.cmd) {
		answer = fn(ctx, req.cmd, req.arg);
		if (write(fd, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	exit(0);
}

pid_t fork_child(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

void worker_start(struct worker *w, const char *comm, worker_fn fn, void *ctx)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		die("socketpair: %s", strerror(errno));
	w->pid = fork_child();
	if (!w->pid) {
		prctl(PR_SET_NAME, comm);
		close(fds[0]);
		serve(fds[1], fn, ctx);
	}
	close(fds[1]);
	w->fd = fds[0];
}

void worker_send(struct worker *w, int cmd, long arg)
{
	struct request req = { .cmd = cmd, .arg = arg };

	if (send(w->fd, &req, sizeof(req), MSG_NOSIGNAL) != sizeof(req))
		die("worker %d is gone (command %c)", w->pid, cmd);
}

long worker_answer(struct worker *w)
{
	long answer;

	if (read(w->fd, &answer, sizeof(answer)) != sizeof(answer))
		die("worker %d died instead of answering", w->pid);
	return answer;
}

long worker_call(struct worker *w, int cmd, long arg)
{
	worker_send(w, cmd, arg);
	return worker_answer(w);
}

void worker_stop(struct worker *w)
{
	int status;

	worker_send(w, 0, 0);
	close(w->fd);
	if (waitpid(w->pid, &status, 0) != w->pid || !WIFEXITED(status) || WEXITSTATUS(status))
		die("worker %d did not end cleanly (status %#x)", w->pid, status);
}

void worker_kill(struct worker *w)
{
	close(w->fd);
	kill(w->pid, SIGKILL);
	if (waitpid(w->pid, NULL, 0) != w->pid)
		die("waiting for worker %d: %s", w->pid, strerror(errno));
}
