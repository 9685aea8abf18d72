// SPDX-License-Identifier: GPL-2.0
#include "lib/stream_attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

bool ksm_at_faults(const char *name)
{
	return !strncmp(name, "fault_", strlen("fault_"));
}

static int keep(struct ksm_links *a, struct bpf_link *link)
{
	struct bpf_link **links;

	if (!link)
		return -errno;
	if (a->count == a->capacity) {
		links = reallocarray(a->links, a->capacity + 32, sizeof(*links));
		if (!links) {
			bpf_link__destroy(link);
			return -ENOMEM;
		}
		a->links = links;
		a->capacity += 32;
	}
	a->links[a->count++] = link;
	return 0;
}

static int run_once(const struct ksm_prog_state *state)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(state->prog), &opts))
		return -errno;
	return opts.retval ? -ENXIO : 0;
}

/* A CPU that is offline faults nothing. The link owns the event. */
static int attach_cpu(struct ksm_links *a, const struct ksm_prog_state *state, int cpu, bool major)
{
	int event = ksm_fault_ends_open(cpu, major), ret;

	if (event == -ENODEV)
		return 0;
	if (event < 0)
		return event;
	ret = keep(a, bpf_program__attach_perf_event(state->prog, event));
	if (ret)
		close(event);
	return ret;
}

static int attach_fault_ends(struct ksm_links *a, const struct ksm_prog_state *state)
{
	int cpus = libbpf_num_possible_cpus(), ret = cpus < 0 ? cpus : 0;

	for (int cpu = 0; cpu < cpus && !ret; cpu++) {
		ret = attach_cpu(a, state, cpu, false);
		if (!ret)
			ret = attach_cpu(a, state, cpu, true);
	}
	return ret;
}

int ksm_attach(struct ksm_attached *a, const struct ksm_prog_state *state)
{
	if (ksm_prog_is(state, KSM_HOOK_SYSCALL))
		return run_once(state);
	if (ksm_prog_is(state, KSM_HOOK_PERF))
		return attach_fault_ends(&a->faults, state);
	return keep(ksm_at_faults(state->name) ? &a->faults : &a->rest,
		    bpf_program__attach(state->prog));
}

static void detach(struct ksm_links *a)
{
	while (a->count)
		bpf_link__destroy(a->links[--a->count]);
	free(a->links);
	memset(a, 0, sizeof(*a));
}

void ksm_detach_faults(struct ksm_attached *a)
{
	detach(&a->faults);
}

void ksm_detach(struct ksm_attached *a)
{
	detach(&a->faults);
	detach(&a->rest);
}
