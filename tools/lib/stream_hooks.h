/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which BPF programs give which events, best first, and which of them this kernel takes.
 *
 * Found out by trying: a program of two instructions is loaded (and once attached) at every
 * place a real one would be. No kernel version is looked at.
 */
#ifndef KSMKIT_STREAM_HOOKS_H
#define KSMKIT_STREAM_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "lib/stream.h"

#define KSM_HOOK_PROGS 4
#define KSM_HOOK_TEXT 160

/**
 * struct ksm_rung - one way to get the events of one type
 * @type: enum ksm_event_type
 * @backend: mask of the backends it serves
 * @progs: programs it takes, in order of attachment; unused ones NULL; none when there is no way to
 *	get the events, and @lacks says what else there is
 * @lacks: what it does not see or tell and a better one does, NULL for nothing
 * @costs: what it costs beyond them, NULL for nothing
 */
struct ksm_rung {
	unsigned int type;
	unsigned int backend;
	const char *progs[KSM_HOOK_PROGS];
	const char *lacks;
	const char *costs;
};

/* Sorted so that of the rungs of one type and backend the best comes first. */
extern const struct ksm_rung ksm_rungs[];
extern const size_t ksm_rung_count;

/**
 * struct ksm_life_prog - follows the life of processes; wanted whenever an event names one
 * @name: program
 * @type: the event that is missing when it did not run
 */
struct ksm_life_prog {
	const char *name;
	unsigned int type;
};

extern const struct ksm_life_prog ksm_hook_life[];
extern const size_t ksm_hook_life_count;

/**
 * struct ksm_prog_state - what is known of one program
 * @prog: of the object that is open now
 * @name: its name
 * @section: "fentry/do_wp_page": how and where it is attached
 * @why: why it cannot be used, "" when it can
 * @tried: @why is valid
 * @chosen: to be loaded and attached
 * @attached: it is
 */
struct ksm_prog_state {
	struct bpf_program *prog;
	char name[64];
	char section[96];
	char why[KSM_HOOK_TEXT];
	bool tried;
	bool chosen;
	bool attached;
};

/**
 * struct ksm_prober - tries hooks
 * @progs: all programs of the object
 * @count: how many
 * @ids: BTF ids of the places, by program; 0 for one that this kernel does not have
 * @fentry: whether functions can be hooked at all: 1, 0 (@fentry_why), or -1 not yet tried
 * @fentry_why: reason
 */
struct ksm_prober {
	struct ksm_prog_state *progs;
	size_t count;
	int *ids;
	int fentry;
	char fentry_why[KSM_HOOK_TEXT];
	char btf_why[KSM_HOOK_TEXT];
};

/* Kinds of programs that are not attached by their section's name alone. */
#define KSM_HOOK_PERF "perf_event"
#define KSM_HOOK_SYSCALL "syscall"

/* Kinds of hooks (fentry,perf_event) that are not to be used, to see the lower rungs work. */
#define KSM_HOOK_WITHOUT_ENV "KSM_HOOKS_WITHOUT"

/**
 * ksm_prog_is() - is this program of that kind?
 */
bool ksm_prog_is(const struct ksm_prog_state *state, const char *kind);

/**
 * ksm_fault_ends_open() - where the kernel counts handled page faults of one CPU
 * @cpu: number
 * @major: those that waited, else those that did not
 *
 * Return: an fd of a perf event, or a negative errno.
 */
int ksm_fault_ends_open(int cpu, bool major);

/**
 * ksm_prober_init() - list the programs of an open object and find their places in the kernel's BTF
 *
 * Return: 0 or -ENOMEM; a kernel without BTF only makes programs unusable.
 */
int ksm_prober_init(struct ksm_prober *p, struct bpf_object *object);

/**
 * ksm_prober_rebind() - the object was opened again
 */
void ksm_prober_rebind(struct ksm_prober *p, struct bpf_object *object);

/* NULL when there is no such program. */
struct ksm_prog_state *ksm_prober_find(struct ksm_prober *p, const char *name);

/**
 * ksm_prober_try() - can this program be used here? Asked once, remembered.
 */
bool ksm_prober_try(struct ksm_prober *p, struct ksm_prog_state *state);

/**
 * ksm_prog_type() - the event that is missing when this program did not run
 *
 * Return: enum ksm_event_type; 0 for a program that misses none.
 */
unsigned int ksm_prog_type(const char *name);

/**
 * ksm_prober_choose() - choose a rung for every type and backend that is asked for
 * @p: the prober; marks programs chosen
 * @backend: mask
 * @types: mask of KSM_STREAM_BIT(type)
 * @hooks: filled; texts are allocated, for ksm_hooks_free()
 * @count: how many
 *
 * May be called again after a program turned out unusable. Return: 0 or -ENOMEM.
 */
int ksm_prober_choose(struct ksm_prober *p, unsigned int backend, uint64_t types,
		      struct ksm_hook **hooks, size_t *count);

void ksm_prober_free(struct ksm_prober *p);
void ksm_hooks_free(struct ksm_hook *hooks, size_t count);

#endif /* KSMKIT_STREAM_HOOKS_H */
