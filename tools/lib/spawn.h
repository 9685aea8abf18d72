/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running another program and reading what it says.
 */
#ifndef KSMKIT_SPAWN_H
#define KSMKIT_SPAWN_H

#include <stddef.h>

/**
 * ksm_spawn() - run a program to its end
 * @argv: looked for on PATH, then in /usr/sbin and /sbin, which users may not have there
 * @out: receives its stdout and stderr without trailing newlines, cut when too long
 * @size: of @out
 *
 * Its stdin is empty. Return: exit status; 128 plus the signal that killed it; -ENOENT when there
 * is no such program; negative errno.
 */
int ksm_spawn(char *const argv[], char *out, size_t size);

#endif /* KSMKIT_SPAWN_H */
