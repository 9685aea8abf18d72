// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/target.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ksm_abi.h"
#include "lib/cgroup.h"
#include "lib/log.h"
#include "lib/trace_types.h"

#define SECOND UINT64_C(1000000000)
#define MAX_SECONDS (366 * 24 * 3600)
#define MAX_RING (UINT64_C(1) << 30)

static volatile sig_atomic_t stop_signal;

static void on_signal(int signal)
{
	stop_signal = signal;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal }, hangup;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* Who starts us with nohup means it. */
	if (sigaction(SIGHUP, NULL, &hangup) || hangup.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

static void parse_pids(struct target *t, char *arg, struct argp_state *state)
{
	uint64_t pid;

	for (char *word = strtok(arg, ","); word; word = strtok(NULL, ",")) {
		if (ksm_parse_u64(word, &pid) || !pid || pid > INT32_MAX)
			argp_error(state, "--pid: '%.32s' is no process id", word);
		if (t->pid_count == TARGET_PIDS_MAX)
			argp_error(state, "--pid: more than %d processes", TARGET_PIDS_MAX);
		t->pids[t->pid_count++] = pid;
	}
	if (!t->pid_count)
		argp_error(state, "--pid: no process given");
}

static void parse_seconds(struct target *t, const char *arg, struct argp_state *state)
{
	uint64_t value = 0;

	if (ksm_parse_u64(arg, &value) || !value || value > MAX_SECONDS)
		argp_error(state, "--duration: '%.32s' is no number from 1 to %d", arg,
			   MAX_SECONDS);
	t->seconds = value;
}

/* Both would have to hold, or either: nobody could tell from the command line. */
static void check_filters(struct target *t, struct argp_state *state)
{
	if (t->all + !!t->pid_count + !!t->cgroup > 1)
		argp_error(state, "--all, --pid and --cgroup exclude each other: give one");
}

static error_t parse_target(int key, char *arg, struct argp_state *state)
{
	struct target *t = state->input;
	struct ksm_error err;

	switch (key) {
	case 'b':
		t->spec = arg;
		return 0;
	case 'a':
		t->all = true;
		return 0;
	case 'p':
		parse_pids(t, arg, state);
		return 0;
	case 'G':
		t->cgroup = arg;
		return 0;
	case 'e':
		if (ksm_event_mask_parse(arg, &t->types, &err))
			argp_error(state, "--event: %s", err.text);
		return 0;
	case 'd':
		parse_seconds(t, arg, state);
		return 0;
	case 'm':
		if (ksm_parse_size(arg, &t->ring_bytes) || !t->ring_bytes ||
		    t->ring_bytes > MAX_RING)
			argp_error(state, "--buffer: '%.32s' is no size up to 1G, such as 16M",
				   arg);
		return 0;
	case ARGP_KEY_ARG:
		t->argv = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		check_filters(t, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "All processes (default without a COMMAND)", 0 },
	{ "pid", 'p', "PID,...", 0, "Only these processes", 0 },
	{ "cgroup", 'G', "PATH", 0,
	  "Only processes in this control group (version 2) or below it", 0 },
	{ "event", 'e', "EVENT,...", 0, "Only these events; ksmtrace list names them", 0 },
	{ "backend", 'b', "NAME", 0,
	  "Whose events: kernel, engine, both, or auto (default: the "
	  "kernel's, and the engine's when its module is loaded)",
	  0 },
	{ "duration", 'd', "SECONDS", 0, "Stop after so long (a COMMAND gets SIGTERM)", 0 },
	{ "buffer", 'm', "SIZE", 0,
	  "Size of the buffer between kernel and ksmtrace (default 8M); what "
	  "does not fit is counted as lost",
	  0 },
	{ 0 },
};

const struct argp target_argp = { .options = options, .parser = parse_target };

static int add_backend(struct target *t, const char *spec)
{
	struct ksm_backend *b = &t->backends[t->backend_count];
	struct ksm_error err;

	if (ksm_backend_open(b, spec, &err))
		return ksm_log_fail(&err);
	t->mask |= b->kind == KSM_BACKEND_ENGINE ? KSM_STREAM_ENGINE : KSM_STREAM_KERNEL;
	t->backend_count++;
	return 0;
}

static int open_backends(struct target *t)
{
	const char *spec = t->spec ? t->spec : "auto";
	bool automatic = !strcmp(spec, "auto"), both = !strcmp(spec, "both");
	struct ksm_io io;
	int status = 0;

	if (!automatic && !both && strcmp(spec, "kernel") && strcmp(spec, "engine")) {
		ksm_log_error("--backend: '%s' is none of auto, kernel, engine, both", spec);
		return KSM_EXIT_USAGE;
	}
	if (!automatic && !both)
		return add_backend(t, spec);
	if (ksm_io_init(&io, NULL)) {
		ksm_log_error(KSM_IO_ROOT_ENV " is too long");
		return KSM_EXIT_FAILED;
	}
	if (both || ksm_backend_exists(&io, KSM_BACKEND_KERNEL))
		status = add_backend(t, "kernel");
	if (!status && (both || ksm_backend_exists(&io, KSM_BACKEND_ENGINE)))
		status = add_backend(t, "engine");
	if (status || t->backend_count)
		return status;
	/* No KSM at all: let the library say so in its own words. */
	return add_backend(t, "auto");
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Where version 2 is. A group of it may bear the name that means another thing beside version 1. */
static const char *cgroup_root(void)
{
	return !is_cgroup2(KSM_ABI_CGROUP) && is_cgroup2(KSM_ABI_CGROUP_HYBRID) ?
		       KSM_ABI_CGROUP_HYBRID :
		       KSM_ABI_CGROUP;
}

/* As given, or below the root of control groups. Return: its id, 0 with a line on stderr. */
static uint64_t find_cgroup(const char *given)
{
	char path[PATH_MAX];
	struct stat st;

	ksm_copy(path, sizeof(path), given);
	if (*given != '/' || !is_cgroup2(path))
		snprintf(path, sizeof(path), "%s%s%s", cgroup_root(), *given == '/' ? "" : "/",
			 given);
	if (stat(path, &st)) {
		ksm_log_error("--cgroup: %s: %s", path, strerror(errno));
		return 0;
	}
	if (!is_cgroup2(path) || !S_ISDIR(st.st_mode)) {
		ksm_log_error("--cgroup: %s is no control group of version 2", path);
		return 0;
	}
	return st.st_ino;
}

static int find_processes(const struct target *t)
{
	char path[32];

	for (unsigned int i = 0; i < t->pid_count; i++) {
		snprintf(path, sizeof(path), "/proc/%u", t->pids[i]);
		if (!access(path, F_OK))
			continue;
		ksm_log_error("--pid: there is no process %u", t->pids[i]);
		return KSM_EXIT_FAILED;
	}
	return 0;
}

static int open_stream(struct target *t, uint64_t cgroup, ksm_event_fn fn, void *ctx)
{
	uint64_t types = t->types ? t->types & KSM_STREAM_ALL : KSM_STREAM_ALL;
	bool family = t->argv && !t->all && !t->cgroup && !t->pid_count;
	struct ksm_stream_opts opts = {
		.backend = t->mask,
		.events = fn ? types : 0,
		.totals = types,
		.only_watched = family || t->pid_count,
		.children = family,
		.cgroup = cgroup,
		.ring_bytes = t->ring_bytes,
		.fn = fn,
		.ctx = ctx,
	};
	const struct ksm_hook *hooks;
	size_t count, with = 0;
	char err[256];

	if (ksm_stream_open(&opts, &t->stream, err, sizeof(err))) {
		ksm_log_error("%s", err);
		return KSM_EXIT_FAILED;
	}
	hooks = ksm_stream_hooks(t->stream, &count);
	for (size_t i = 0; i < count; i++)
		with += !!hooks[i].hook;
	if (count && !with)
		ksm_log_warn("no event can be had, only counters: %s",
			     hooks[0].why ? hooks[0].why : "unknown");
	return 0;
}

int target_open(struct target *t, ksm_event_fn fn, void *ctx)
{
	int status = t->argv ? command_find(t->argv[0]) : 0, ret;
	uint64_t cgroup = 0;

	if (!status)
		status = find_processes(t);
	if (!status && t->cgroup) {
		cgroup = find_cgroup(t->cgroup);
		status = cgroup ? 0 : KSM_EXIT_FAILED;
	}
	if (!status)
		status = open_backends(t);
	if (status)
		return status;
	catch_signals();
	status = open_stream(t, cgroup, fn, ctx);
	for (unsigned int i = 0; i < t->pid_count && !status; i++) {
		ret = ksm_stream_watch(t->stream, t->pids[i]);
		if (ret)
			ksm_log_error("process %u cannot be watched: %s", t->pids[i],
				      strerror(-ret));
		status = ret ? KSM_EXIT_FAILED : 0;
	}
	return status;
}

int target_start(struct target *t)
{
	int status;

	t->started = ksm_monotonic_ns();
	if (!t->argv)
		return 0;
	status = command_prepare(&t->command, t->argv);
	if (status)
		return status;
	ksm_stream_watch(t->stream, t->command.pid);
	return command_go(&t->command);
}

bool target_over(struct target *t)
{
	bool over = t->seconds && ksm_monotonic_ns() - t->started >= t->seconds * SECOND;
	int signal = stop_signal;

	if (!t->argv)
		return signal || over;
	if (command_ended(&t->command))
		return true;
	stop_signal = 0;
	if ((signal && signal != SIGINT) || over)
		kill(t->command.pid, over ? SIGTERM : signal);
	if (over)
		t->seconds = 0;
	return false;
}

bool target_watches(const struct target *t, uint32_t tgid)
{
	const char *want = t->cgroup, *root;
	char path[KSM_CGROUP_PATH_MAX];
	size_t length;

	if (t->all)
		return true;
	for (unsigned int i = 0; i < t->pid_count; i++)
		if (t->pids[i] == tgid)
			return true;
	if (!want)
		return !t->argv && !t->pid_count;
	if (ksm_cgroup_read(&t->backends[0].io, tgid, path, sizeof(path)))
		return false;
	root = cgroup_root();
	if (!strncmp(want, root, strlen(root)))
		want += strlen(root);
	want += strspn(want, "/");
	length = strlen(want);
	while (length && want[length - 1] == '/')
		length--;
	return !length || (!strncmp(path + 1, want, length) &&
			   (!path[length + 1] || path[length + 1] == '/'));
}

int target_exit(struct target *t)
{
	while (t->argv && !target_over(t))
		usleep(20000);
	return t->command.status;
}

void target_close(struct target *t)
{
	ksm_stream_close(t->stream);
	t->stream = NULL;
}
