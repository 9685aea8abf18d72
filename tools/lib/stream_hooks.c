// SPDX-License-Identifier: GPL-2.0
#include "lib/stream_hooks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "ksm_abi.h"
#include "lib/util.h"

#define TP_BTF "tp_btf/"
#define RAW_TP "raw_tp/"
#define FENTRY "fentry/"
#define FEXIT "fexit/"
#define LACKED "this kernel has no "

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool ksm_prog_is(const struct ksm_prog_state *state, const char *kind)
{
	size_t length = strlen(kind);

	return !strncmp(state->section, kind, length) &&
	       (!state->section[length] || state->section[length] == '/');
}

static const char *place_of(const struct ksm_prog_state *state)
{
	const char *slash = strchr(state->section, '/');

	return slash ? slash + 1 : "page faults";
}

/* The BTF type a program attaches to: a function, or a tracepoint's typedef. */
static bool is_place(const struct btf *btf, const struct btf_type *type,
		     const struct ksm_prog_state *state)
{
	const char *prefix = "btf_trace_", *name = btf__name_by_offset(btf, type->name_off);

	if (has_prefix(state->section, TP_BTF)) {
		if (!btf_is_typedef(type) || !has_prefix(name, prefix))
			return false;
		return !strcmp(name + strlen(prefix), place_of(state));
	}
	return btf_is_func(type) && !strcmp(name, place_of(state));
}

static void find_places(struct ksm_prober *p, const struct btf *btf)
{
	unsigned int id, count = btf__type_cnt(btf);

	for (id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (!btf_is_func(type) && !btf_is_typedef(type))
			continue;
		for (size_t i = 0; i < p->count; i++)
			if (is_place(btf, type, &p->progs[i]))
				p->ids[i] = id;
	}
}

void ksm_prober_rebind(struct ksm_prober *p, struct bpf_object *object)
{
	for (size_t i = 0; i < p->count; i++)
		p->progs[i].prog = bpf_object__find_program_by_name(object, p->progs[i].name);
}

int ksm_prober_init(struct ksm_prober *p, struct bpf_object *object)
{
	struct bpf_program *prog;
	struct btf *btf;
	size_t count = 0;

	memset(p, 0, sizeof(*p));
	p->fentry = -1;
	bpf_object__for_each_program(prog, object) count++;
	p->progs = calloc(count, sizeof(*p->progs));
	p->ids = calloc(count, sizeof(*p->ids));
	if (!p->progs || !p->ids) {
		ksm_prober_free(p);
		return -ENOMEM;
	}
	bpf_object__for_each_program(prog, object)
	{
		struct ksm_prog_state *state = &p->progs[p->count++];

		ksm_copy(state->name, sizeof(state->name), bpf_program__name(prog));
		ksm_copy(state->section, sizeof(state->section), bpf_program__section_name(prog));
	}
	ksm_prober_rebind(p, object);
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		snprintf(p->btf_why, sizeof(p->btf_why), "this kernel has no BTF (%s: %s)",
			 KSM_ABI_BTF, strerror(errno));
		return 0;
	}
	find_places(p, btf);
	btf__free(btf);
	return 0;
}

void ksm_prober_free(struct ksm_prober *p)
{
	free(p->progs);
	free(p->ids);
	memset(p, 0, sizeof(*p));
}

struct ksm_prog_state *ksm_prober_find(struct ksm_prober *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->progs[i].name, name))
			return &p->progs[i];
	return NULL;
}

static bool refuse(struct ksm_prog_state *state, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse(struct ksm_prog_state *state, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(state->why, sizeof(state->why), fmt, args);
	va_end(args);
	return false;
}

static const char *error_text(int error)
{
	if (error == EPERM)
		return geteuid() ? "BPF needs root (CAP_BPF and CAP_PERFMON)" :
				   "the kernel refuses it (EPERM)";
	return strerror(error);
}

/* Loads "return 0" for the place. Return: an fd or a negative errno. */
static int load_empty(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach,
		    .attach_btf_id = btf_id);
	int fd = bpf_prog_load(type, "ksm_probe", "GPL", insns, KSM_ARRAY_SIZE(insns), &opts);

	return fd < 0 ? -errno : fd;
}

static int attach_and_close(int prog, const char *name)
{
	int link = bpf_raw_tracepoint_open(name, prog), ret = link < 0 ? -errno : 0;

	if (link >= 0)
		close(link);
	close(prog);
	return ret;
}

static bool try_raw_tp(struct ksm_prog_state *state)
{
	int ret = load_empty(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0);

	if (ret >= 0)
		ret = attach_and_close(ret, place_of(state));
	if (ret == -ENOENT && !access(KSM_ABI_ENGINE_DIR, F_OK))
		return refuse(state, "this module " KSM_ABI_ENGINE_NAME " has no tracepoint %s",
			      place_of(state));
	if (ret == -ENOENT)
		return refuse(state,
			      "no tracepoint %s: module " KSM_ABI_ENGINE_NAME " is not loaded",
			      place_of(state));
	if (ret)
		return refuse(state, "%s: %s", place_of(state), error_text(-ret));
	return true;
}

static bool try_tp_btf(struct ksm_prog_state *state, int id)
{
	int fd;

	if (!id)
		return refuse(state, LACKED "tracepoint %s", place_of(state));
	fd = load_empty(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, id);
	if (fd < 0)
		return refuse(state, "tracepoint %s: %s", place_of(state), error_text(-fd));
	close(fd);
	return true;
}

/* Attaching costs the kernel a patched function: done for the first one, believed for the rest. */
static bool try_fentry(struct ksm_prober *p, struct ksm_prog_state *state, int id)
{
	bool exits = has_prefix(state->section, FEXIT);
	int fd, ret;

	if (!id)
		return refuse(state, LACKED "function %s to hook", place_of(state));
	if (p->fentry == 0)
		return refuse(state, "%s", p->fentry_why);
	fd = load_empty(BPF_PROG_TYPE_TRACING, exits ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY, id);
	if (fd < 0)
		return refuse(state, "%s: %s", state->section, error_text(-fd));
	if (p->fentry > 0) {
		close(fd);
		return true;
	}
	ret = attach_and_close(fd, NULL);
	p->fentry = !ret;
	if (!ret)
		return true;
	snprintf(p->fentry_why, sizeof(p->fentry_why), "this kernel lets no function be hooked: %s",
		 ret == -ENOENT || ret == -ENOTSUP ? "no fentry" : error_text(-ret));
	return refuse(state, "%s", p->fentry_why);
}

int ksm_fault_ends_open(int cpu, bool major)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = major ? PERF_COUNT_SW_PAGE_FAULTS_MAJ : PERF_COUNT_SW_PAGE_FAULTS_MIN,
		.sample_period = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool try_perf(struct ksm_prog_state *state)
{
	int prog = load_empty(BPF_PROG_TYPE_PERF_EVENT, 0, 0), event, ret;

	if (prog < 0)
		return refuse(state, "perf events: %s", error_text(-prog));
	event = ksm_fault_ends_open(0, false);
	ret = event < 0 ? event : 0;
	if (!ret && ioctl(event, PERF_EVENT_IOC_SET_BPF, prog))
		ret = -errno;
	if (event >= 0)
		close(event);
	close(prog);
	return ret ? refuse(state, "perf event of page faults: %s", error_text(-ret)) : true;
}

/* A list of kinds, as "fentry,perf_event": fentry means fexit too. */
static bool is_forbidden(const struct ksm_prog_state *state)
{
	const char *word = getenv(KSM_HOOK_WITHOUT_ENV);
	char kind[16];

	for (; word && *word; word += strcspn(word, ","), word += *word == ',') {
		snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(word, ","), word);
		if (ksm_prog_is(state, kind) ||
		    (!strcmp(kind, "fentry") && has_prefix(state->section, FEXIT)))
			return true;
	}
	return false;
}

bool ksm_prober_try(struct ksm_prober *p, struct ksm_prog_state *state)
{
	int id = p->ids[state - p->progs];

	if (state->tried)
		return !state->why[0];
	state->tried = true;
	if (is_forbidden(state))
		return refuse(state, "%s: kept from it by " KSM_HOOK_WITHOUT_ENV, state->section);
	if (p->btf_why[0])
		return refuse(state, "%s", p->btf_why);
	if (has_prefix(state->section, RAW_TP))
		return try_raw_tp(state);
	if (has_prefix(state->section, TP_BTF))
		return try_tp_btf(state, id);
	if (has_prefix(state->section, FENTRY) || has_prefix(state->section, FEXIT))
		return try_fentry(p, state, id);
	if (ksm_prog_is(state, KSM_HOOK_PERF))
		return try_perf(state);
	/* Run by us: that tells. */
	if (ksm_prog_is(state, KSM_HOOK_SYSCALL))
		return true;
	return refuse(state, "unknown kind of hook: %s", state->section);
}

unsigned int ksm_prog_type(const char *name)
{
	for (size_t i = 0; i < ksm_rung_count; i++)
		for (int j = 0; j < KSM_HOOK_PROGS && ksm_rungs[i].progs[j]; j++)
			if (!strcmp(ksm_rungs[i].progs[j], name))
				return ksm_rungs[i].type;
	for (size_t i = 0; i < ksm_hook_life_count; i++)
		if (!strcmp(ksm_hook_life[i].name, name))
			return ksm_hook_life[i].type;
	return 0;
}

/* Why a rung cannot be used, NULL when it can. */
static const char *rung_why(struct ksm_prober *p, const struct ksm_rung *rung)
{
	for (int i = 0; i < KSM_HOOK_PROGS && rung->progs[i]; i++) {
		struct ksm_prog_state *state = ksm_prober_find(p, rung->progs[i]);

		if (!state)
			return "not built in";
		if (!ksm_prober_try(p, state))
			return state->why;
	}
	return NULL;
}

/* "tp_btf ksm_enter + fentry do_wp_page", out of section names. */
static char *rung_text(struct ksm_prober *p, const struct ksm_rung *rung)
{
	char text[256] = "";
	size_t used = 0;

	for (int i = 0; i < KSM_HOOK_PROGS && rung->progs[i]; i++) {
		struct ksm_prog_state *state = ksm_prober_find(p, rung->progs[i]);
		int kind = strcspn(state->section, "/");

		state->chosen = true;
		if (ksm_prog_is(state, KSM_HOOK_SYSCALL))
			continue;
		used += snprintf(text + used, sizeof(text) - used, "%s%.*s %s", used ? " + " : "",
				 kind, state->section, place_of(state));
		if (used >= sizeof(text))
			break;
	}
	return strdup(text);
}

static int choose_one(struct ksm_prober *p, unsigned int backend, unsigned int type,
		      struct ksm_hook *hook)
{
	const char *why = NULL, *best = NULL, *last = NULL, *elsewhere = NULL, *but;
	const struct ksm_rung *rung;
	char text[3 * KSM_HOOK_TEXT];

	hook->type = type;
	hook->backend = backend;
	for (rung = ksm_rungs; rung < ksm_rungs + ksm_rung_count; rung++) {
		if (rung->type != type || !(rung->backend & backend))
			continue;
		if (!rung->progs[0]) {
			elsewhere = rung->lacks;
			continue;
		}
		why = rung_why(p, rung);
		if (!why)
			break;
		if (!best)
			best = why;
		last = why;
	}
	if (rung < ksm_rungs + ksm_rung_count) {
		hook->hook = rung_text(p, rung);
		if (!hook->hook)
			return -ENOMEM;
		hook->lacks = rung->lacks;
		if (!best)
			return 0;
		but = rung->lacks ? rung->lacks : rung->costs;
		snprintf(text, sizeof(text), "%s%s%s", best, but ? "; " : "", but ? but : "");
	} else {
		/* What a kernel lacks nobody can help; the last resort may be another matter. */
		if (!last || !has_prefix(best, LACKED) || !strcmp(best, last))
			last = NULL;
		snprintf(text, sizeof(text), "%s%s%s%s%s",
			 best ? best : "this engine has no such event", last ? ", " : "",
			 last ? last : "", elsewhere ? "; " : "", elsewhere ? elsewhere : "");
	}
	hook->why = strdup(text);
	return hook->why ? 0 : -ENOMEM;
}

void ksm_hooks_free(struct ksm_hook *hooks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)hooks[i].hook);
		free((char *)hooks[i].why);
	}
	free(hooks);
}

static void choose_life(struct ksm_prober *p)
{
	for (size_t i = 0; i < ksm_hook_life_count; i++) {
		struct ksm_prog_state *state = ksm_prober_find(p, ksm_hook_life[i].name);

		if (state && ksm_prober_try(p, state))
			state->chosen = true;
	}
}

int ksm_prober_choose(struct ksm_prober *p, unsigned int backend, uint64_t types,
		      struct ksm_hook **hooks, size_t *count)
{
	size_t used = 0;
	bool any = false;

	*hooks = calloc(2 * KSM_EVENT_MAX, sizeof(**hooks));
	if (!*hooks)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++)
		p->progs[i].chosen = false;
	for (unsigned int b = KSM_STREAM_KERNEL; b <= KSM_STREAM_ENGINE; b <<= 1) {
		for (unsigned int type = 1; backend & b && type < KSM_EVENT_MAX; type++) {
			if (!(types & KSM_STREAM_ALL & KSM_STREAM_BIT(type)))
				continue;
			if (choose_one(p, b, type, &(*hooks)[used++])) {
				ksm_hooks_free(*hooks, used);
				return -ENOMEM;
			}
			any |= !!(*hooks)[used - 1].hook;
		}
	}
	if (any)
		choose_life(p);
	*count = used;
	return 0;
}
