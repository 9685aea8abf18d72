// SPDX-License-Identifier: GPL-2.0
/* Output, options, time. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib.h"

struct options opt = { .backend = &backends[BACKEND_ENGINE], .seed = 1, .timeout = 120 };

static const struct argp_option common_options[] = {
	{ "backend", 'b', "kernel|engine", 0, "the KSM under test (default: engine)", 0 },
	{ "seed", 's', "NUMBER", 0, "seed of contents and choices (default: 1)", 0 },
	{ "timeout", 't', "SECONDS", 0, "how long to wait for a state (default: 120)", 0 },
	{ 0 },
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'b':
		opt.backend = backend_find(arg);
		if (!opt.backend)
			argp_error(state, "no backend '%s': it is kernel or engine", arg);
		return 0;
	case 's':
		opt.seed = arg_number(state, "--seed", arg, 0, UINT32_MAX);
		return 0;
	case 't':
		opt.timeout = arg_number(state, "--timeout", arg, 1, 86400);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp common_argp = { .options = common_options, .parser = parse_common };

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

unsigned long arg_number(struct argp_state *state, const char *name, const char *arg,
			 unsigned long min, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (errno || *end || end == arg || *arg == '-' || value < min || value > max)
		argp_error(state, "%s: '%s' is not a number from %lu to %lu", name, arg, min, max);
	return value;
}

double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

bool wait_for(double seconds, bool (*cond)(void *arg), void *arg)
{
	const struct timespec tick = { .tv_nsec = 20 * 1000 * 1000 };
	double end = now_seconds() + seconds;

	while (!cond(arg)) {
		if (now_seconds() > end)
			return false;
		nanosleep(&tick, NULL);
	}
	return true;
}

uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void must_run(const char *command)
{
	int status = system(command);

	if (status)
		die("%s: status %#x", command, status);
}

/* The number behind @key in a file of words and numbers, or -1. */
static long long number_of(const char *path, const char *key)
{
	FILE *f = fopen(path, "r");
	char line[128], name[64];
	long long value, found = -1;

	if (!f)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^: ]%*[: ]%lld", name, &value) == 2 && !strcmp(name, key))
			found = value;
	}
	fclose(f);
	return found;
}

long long vmstat(const char *key)
{
	return number_of("/proc/vmstat", key);
}

long long meminfo(const char *key)
{
	return number_of("/proc/meminfo", key);
}

unsigned long env_number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	long value = text ? atol(text) : 0;

	return value > 0 ? (unsigned long)value : otherwise;
}

int write_file(const char *path, const char *text)
{
	ssize_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != len)
		err = -errno;
	close(fd);
	return err;
}

void must_write_file(const char *path, const char *text)
{
	int err = write_file(path, text);

	if (err)
		die("%s: %s", path, strerror(-err));
}
