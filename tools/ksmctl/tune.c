// SPDX-License-Identifier: GPL-2.0
/*
 * ksmctl tune - keep the pace right, in ksmtuned's place
 *
 * The loop's judgement is in lib/pacer.c; here is what it sees and what it may touch.
 */
#include "ksmctl/tune.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/tuners.h"

#define DEFAULT_INTERVAL 2
/* Between two glances at a boost, whose last scans take no time. */
#define GLANCE_NS 200000000ull
#define SECOND_NS 1000000000ull

struct options {
	struct ksmctl *ctl;
	struct ksm_pacer_config config;
	unsigned int interval;
};

enum { OPT_SCAN_TIME = 256, OPT_PRESSURE, OPT_WORTH };

static const struct argp_option options_doc[] = {
	{ "max-cpu", 'c', "PERCENT", 0, "Of one CPU, for the scanner (default 20)", 0 },
	{ "scan-time", OPT_SCAN_TIME, "SECONDS", 0,
	  "For a full scan once merging has settled (default 200)", 0 },
	{ "interval", 'i', "SECONDS", 0, "Between two looks (default 2)", 0 },
	{ "pressure", OPT_PRESSURE, "PERCENT", 0,
	  "Memory pressure (PSI, some, 10 s) from which memory is short (default 5)", 0 },
	{ "worth", OPT_WORTH, "PERCENT", 0,
	  "Of one CPU that COW breaks may cost for each GiB saved (default 5)", 0 },
	{ 0 }
};

static unsigned int parse_percent(struct argp_state *state, const char *option, const char *arg)
{
	uint64_t value = 0;

	if (ksm_parse_u64(arg, &value) || !value || value > 100)
		argp_error(state, "--%s: '%.32s' is no number from 1 to 100", option, arg);
	return (unsigned int)value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options->ctl;
		return 0;
	case 'c':
		options->config.max_cpu = parse_percent(state, "max-cpu", arg);
		return 0;
	case OPT_SCAN_TIME:
		options->config.scan_seconds = ksmctl_parse_seconds(state, "scan-time", arg);
		return 0;
	case 'i':
		options->interval = ksmctl_parse_seconds(state, "interval", arg);
		return 0;
	case OPT_PRESSURE:
		options->config.pressure = parse_percent(state, "pressure", arg);
		return 0;
	case OPT_WORTH:
		options->config.worth = parse_percent(state, "worth", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options_doc,
	.parser = parse,
	.doc = "Merge, and keep the pace right: at the CPU cap while there is something new to "
	       "merge or memory is short, a full scan in a set time once it has settled, slowly "
	       "where breaking merged pages costs more than they save. Runs in the foreground "
	       "until it is stopped, and then puts back what it found.",
	.children = ksmctl_children,
};

/* Two tuners would undo each other's work. Units that are not running yet may never. */
static int check_rivals(const struct ksm_backend *b, const struct ksm_counters_snapshot *s,
			struct ksm_error *err)
{
	struct ksm_tuner found[KSM_TUNERS_MAX];
	size_t count = ksm_tuners_find(&b->io, s, found);
	char pid[24] = "";

	for (size_t i = 0; i < count; i++) {
		if (found[i].when != KSM_TUNER_NOW)
			continue;
		if (found[i].pid)
			snprintf(pid, sizeof(pid), " (pid %d)", found[i].pid);
		return ksm_error_set(err, -EBUSY, "%s%s tunes KSM already: '%s' first",
				     found[i].name, pid, found[i].remedy);
	}
	return 0;
}

static void tell(const struct options *options, const struct ksm_pacer *t,
		 const struct ksm_pacer_decision *d)
{
	const char *state = ksm_pacer_state_name(t->state);
	struct json_object *line;
	char status[300];

	if (options->ctl->json) {
		line = json_object_new_object();
		ksm_json_str(line, "state", state);
		ksm_json_str(line, "reason", d->reason);
		ksm_json_int(line, "pages_to_scan", d->pages_to_scan);
		ksm_json_int(line, "sleep_millisecs", d->sleep_ms);
		puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
		json_object_put(line);
	} else {
		printf("%s: %s; pages_to_scan=%" PRId64 " sleep_millisecs=%" PRId64 "\n", state,
		       d->reason, d->pages_to_scan, d->sleep_ms);
	}
	fflush(stdout);
	snprintf(status, sizeof(status), "STATUS=%s: %s", state, d->reason);
	ksm_notify(status);
}

/* @run: also start merging. Return: 0 or negative errno. */
static int write_pace(struct ksmctl *ctl, const struct ksm_pacer_decision *d, bool run,
		      struct ksm_error *err)
{
	struct ksm_setting set[3];

	ksm_setting_make(&set[0], KSM_ABI_PAGES_TO_SCAN, d->pages_to_scan);
	ksm_setting_make(&set[1], KSM_ABI_SLEEP_MILLISECS, d->sleep_ms);
	ksm_setting_make(&set[2], KSM_ABI_RUN, KSM_RUN_MERGE);
	return ksm_backend_apply(&ctl->b, set, run ? 3 : 2, err);
}

/* Is everything still as we left it? Memory that goes offline (bit 4) is nobody's doing. */
static int check_hands_off(const struct ksm_pacer *t, const struct ksm_counters_snapshot *s,
			   struct ksm_error *err)
{
	const struct {
		unsigned int id;
		int64_t want;
		int64_t is;
	} knobs[] = {
		{ KSM_ABI_RUN, KSM_RUN_MERGE, ksm_snapshot_get(s, KSM_ABI_RUN) & ~KSM_RUN_OFFLINE },
		{ KSM_ABI_PAGES_TO_SCAN, t->pages_to_scan,
		  ksm_snapshot_get(s, KSM_ABI_PAGES_TO_SCAN) },
		{ KSM_ABI_SLEEP_MILLISECS, t->sleep_ms,
		  ksm_snapshot_get(s, KSM_ABI_SLEEP_MILLISECS) },
	};

	for (size_t i = 0; i < KSM_ARRAY_SIZE(knobs); i++)
		if (knobs[i].is != knobs[i].want)
			return ksm_error_set(err, -ECANCELED,
					     "%s was changed to %" PRId64
					     " by someone else: leaving everything to them",
					     ksm_knob_by_id(knobs[i].id)->name, knobs[i].is);
	return 0;
}

/* Return: the signal that ends us, 0 when the time is up. */
static int wait_for_end(uint64_t ns, const sigset_t *signals)
{
	const struct timespec time = { .tv_sec = (time_t)(ns / SECOND_NS),
				       .tv_nsec = (long)(ns % SECOND_NS) };
	int signal;

	do {
		signal = sigtimedwait(signals, NULL, &time);
	} while (signal < 0 && errno == EINTR);
	return signal > 0 ? signal : 0;
}

/* How long until the next step, or until a glance before it. */
static uint64_t time_to_wait(const struct ksm_pacer *t, uint64_t next_step)
{
	uint64_t now = ksm_monotonic_ns(), left = next_step > now ? next_step - now : 0;

	return t->state == KSM_PACER_BOOST && left > GLANCE_NS ? GLANCE_NS : left;
}

/* One look, and what follows from it. Return: 0 or negative errno. */
static int look_and_act(const struct options *options, struct ksm_pacer *t, struct tune_eyes *eyes,
			bool glance, struct ksm_error *err)
{
	struct ksmctl *ctl = options->ctl;
	struct ksm_counters_snapshot s;
	struct ksm_pacer_decision d;
	struct ksm_pacer_seen seen;
	int ret = ksm_backend_read(&ctl->b, &s, err);

	if (!ret)
		ret = check_hands_off(t, &s, err);
	if (ret)
		return ret;
	if (glance) {
		tune_count(&s, eyes, &seen);
		ksm_pacer_glance(t, &seen, &d);
	} else {
		tune_look(&ctl->b, &s, eyes, &seen);
		ksm_pacer_step(t, &seen, &d);
	}
	if (!d.change)
		return 0;
	ret = write_pace(ctl, &d, false, err);
	tell(options, t, &d);
	return ret;
}

/* Return: 0 when a signal ended it; -ECANCELED when somebody took over; negative errno. */
static int loop(const struct options *options, struct ksm_pacer *t, struct tune_eyes *eyes,
		const sigset_t *signals, struct ksm_error *err)
{
	uint64_t interval = options->interval * SECOND_NS;
	uint64_t next_step = ksm_monotonic_ns() + interval;
	int ret = 0;

	while (!ret && !wait_for_end(time_to_wait(t, next_step), signals)) {
		bool glance = ksm_monotonic_ns() < next_step;

		ret = look_and_act(options, t, eyes, glance, err);
		if (!glance)
			next_step = ksm_monotonic_ns() + interval;
	}
	return ret;
}

/* Everything between finding the knobs and putting them back. Return: exit status. */
static int tune(const struct options *options, const struct ksm_counters_snapshot *s,
		const sigset_t *signals)
{
	struct ksmctl *ctl = options->ctl;
	struct ksm_pacer_decision d;
	struct ksm_pacer_seen seen;
	struct tune_eyes eyes = { 0 };
	struct tune_found found;
	struct ksm_pacer tuner;
	struct ksm_error err;
	int ret = tune_remember(&ctl->b, s, &found, &err);

	if (ret)
		return ksm_log_fail(&err);
	tune_look(&ctl->b, s, &eyes, &seen);
	ksm_pacer_start(&tuner, &options->config, &seen, &d);
	ret = write_pace(ctl, &d, true, &err);
	if (ret) {
		tune_forget(&ctl->b.io);
		return ksm_log_fail(&err);
	}
	tell(options, &tuner, &d);
	ksm_notify("READY=1");
	ret = loop(options, &tuner, &eyes, signals, &err);
	ksm_notify("STOPPING=1");
	if (ret)
		ksm_log_fail(&err);
	if (ret == -ECANCELED || ret == -ENOENT) { /* theirs now, or the engine is gone */
		tune_forget(&ctl->b.io);
		return KSM_EXIT_FAILED;
	}
	if (tune_restore(&ctl->b, &found, &err))
		return ksm_log_fail(&err);
	return ret ? KSM_EXIT_FAILED : KSM_EXIT_OK;
}

/* Return: exit status, the machine being ready to be tuned when it is 0. */
static int prepare(struct ksmctl *ctl, struct ksm_counters_snapshot *s)
{
	struct ksm_backend located;
	struct ksm_error err;
	int ret = ksm_backend_locate(&located, ctl->spec, &err);

	if (!ret)
		ret = tune_lock(&located.io, &err);
	if (!ret)
		ret = tune_recover(&located, &err);
	if (ret > 0)
		ksm_log_warn("an earlier 'ksmctl tune' was killed: what it had found is put back");
	if (ret >= 0)
		ret = ksm_backend_open(&ctl->b, ctl->spec, &err);
	if (!ret)
		ret = ksm_backend_read(&ctl->b, s, &err);
	if (!ret)
		ret = check_rivals(&ctl->b, s, &err);
	return ret ? ksm_log_fail(&err) : KSM_EXIT_OK;
}

int ksmctl_tune(void *ctx, int argc, char **argv)
{
	struct options options = {
		.ctl = ctx,
		.config = ksm_pacer_defaults,
		.interval = DEFAULT_INTERVAL,
	};
	struct ksm_counters_snapshot s;
	sigset_t signals;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return KSM_EXIT_USAGE;
	/* blocked from here on: nothing is ever left half done */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	status = prepare(options.ctl, &s);
	return status ? status : tune(&options, &s, &signals);
}
