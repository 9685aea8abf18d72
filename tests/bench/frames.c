// SPDX-License-Identifier: GPL-2.0
/*
 * bench-frames KEYS COMMAND...: runs COMMAND on a pseudo-terminal of 120x40 and prints how many
 * milliseconds passed until its first frame, and from a key to the frame that answers it, the 99th
 * percentile of KEYS of them. Keys go down and up the table.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS_MAX 10000
#define SETTLE_MS 3000
#define QUIET_MS 30 /* after so long without output all frames are over */
#define FRAME_MS 5  /* and one frame: the next one may come by itself, soon after */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Take output until there is none for @gap_ms. Return: when the last of it came, 0 for none. */
static double take_output(int fd, int first_ms, int gap_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double last = 0;
	char buf[65536];

	while (poll(&p, 1, last > 0 ? gap_ms : first_ms) > 0) {
		if (read(fd, buf, sizeof(buf)) <= 0)
			break;
		last = now_ms();
	}
	return last;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	struct winsize size = { .ws_col = 120, .ws_row = 40 };
	int keys = argc > 2 ? atoi(argv[1]) : 0, fd, status;
	double times[KEYS_MAX], start, first;
	pid_t pid;

	if (keys < 1 || keys > KEYS_MAX) {
		fputs("usage: bench-frames KEYS COMMAND...\n", stderr);
		return 2;
	}
	start = now_ms();
	pid = forkpty(&fd, NULL, NULL, &size);
	if (!pid) {
		setenv("TERM", "xterm-256color", 1);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	first = take_output(fd, 10000, QUIET_MS);
	if (pid < 0 || first <= 0)
		return 1;
	/* a key in an empty table is answered by nothing: wait for the processes */
	while (now_ms() - first < SETTLE_MS)
		take_output(fd, SETTLE_MS / 10, QUIET_MS);
	for (int i = 0; i < keys; i++) {
		double sent, answered;

		take_output(fd, QUIET_MS, QUIET_MS);
		sent = now_ms();
		if (write(fd, i % 20 < 10 ? "j" : "k", 1) != 1)
			return 1;
		answered = take_output(fd, 1000, FRAME_MS);
		if (answered <= 0)
			return 1;
		times[i] = answered - sent;
	}
	qsort(times, (size_t)keys, sizeof(*times), compare);
	printf("%.1f %.1f\n", first - start, times[(keys * 99 + 99) / 100 - 1]);
	if (write(fd, "q", 1) == 1)
		take_output(fd, 100, QUIET_MS);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	return 0;
}
