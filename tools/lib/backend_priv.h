/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the backend_*.c files only.
 */
#ifndef KSMKIT_BACKEND_PRIV_H
#define KSMKIT_BACKEND_PRIV_H

#include "lib/backend.h"

/* sysfs directory of KSM_BACKEND_KERNEL or KSM_BACKEND_ENGINE */
const char *ksm_backend_kind_dir(unsigned int kind);

/**
 * ksm_backend_owns() - does this engine own merging: does it run, or hold merged pages?
 * @run: its run file
 * @merged: KSM pages it holds, zero pages included
 */
bool ksm_backend_owns(const struct ksm_io *io, unsigned int kind, int64_t *run, int64_t *merged);

/**
 * ksm_backend_read_file() - text and number of one file
 * @text: trimmed contents
 * @value: the number, or the index of the bracketed word
 *
 * Return: 0, -EPROTO when it is no number, negative errno.
 */
int ksm_backend_read_file(const struct ksm_io *io, const char *dir, const struct ksm_knob *knob,
			  char *text, size_t size, int64_t *value);

/**
 * ksm_fake_write() - a write to a directory tree, answered as the kernel would answer
 *
 * The io->write of a fake backend.
 */
int ksm_fake_write(const struct ksm_io *io, const char *path, const char *text);

#endif /* KSMKIT_BACKEND_PRIV_H */
