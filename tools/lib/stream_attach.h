/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Putting BPF programs to work, each kind in its own way.
 */
#ifndef KSMKIT_STREAM_ATTACH_H
#define KSMKIT_STREAM_ATTACH_H

#include <stddef.h>

#include <bpf/libbpf.h>

#include "lib/stream_hooks.h"

/**
 * struct ksm_links - in order of attachment
 * @links: @count of them
 * @capacity: allocated
 */
struct ksm_links {
	struct bpf_link **links;
	size_t count;
	size_t capacity;
};

/**
 * struct ksm_attached - what is attached; zeroed at the start
 * @faults: programs that run at every page fault of the machine
 * @rest: all others
 */
struct ksm_attached {
	struct ksm_links rest, faults;
};

/**
 * ksm_at_faults() - does this program run at every page fault?
 */
bool ksm_at_faults(const char *name);

/**
 * ksm_attach() - attach one program that is loaded
 *
 * A program of kind "syscall" has no place: it is run once, here, and must return 0. One for perf
 * events is attached on every CPU that is online.
 *
 * Return: 0 or a negative errno.
 */
int ksm_attach(struct ksm_attached *attached, const struct ksm_prog_state *state);

/**
 * ksm_detach() - detach everything, last first; accepts a zeroed one
 */
void ksm_detach(struct ksm_attached *attached);

/**
 * ksm_detach_faults() - detach what runs at every page fault, and only that
 */
void ksm_detach_faults(struct ksm_attached *attached);

#endif /* KSMKIT_STREAM_ATTACH_H */
