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
 * struct ksm_attached - what is attached; zeroed at the start
 * @links: in order of attachment
 * @count: how many
 * @capacity: allocated
 */
struct ksm_attached {
	struct bpf_link **links;
	size_t count;
	size_t capacity;
};

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

#endif /* KSMKIT_STREAM_ATTACH_H */
