/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine's device: merging for processes that did not ask for it (struct ksm_abi_attach).
 */
#ifndef KSMKIT_ATTACH_H
#define KSMKIT_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ksm_abi.h"
#include "lib/io.h"
#include "lib/select.h"
#include "lib/util.h"

/**
 * ksm_attach_open() - open the engine's device
 * @io: where
 * @err: why not, with the remedy: not loaded, no permission, a seccomp filter
 *
 * The engine need not be the one that merges. An open device keeps it from being unloaded.
 *
 * Return: a file descriptor or negative errno.
 */
int ksm_attach_open(const struct ksm_io *io, struct ksm_error *err);

/**
 * ksm_attach_pidfd() - get hold of a process that was selected
 * @io: where; only the machine itself has processes
 * @selection: the criterion, checked again behind the pidfd, so that a PID that was reused is not
 *	taken for the process
 * @pid: what ksm_select() found
 *
 * Return: a pidfd; -ESRCH when the process is gone or no longer selected; -ENXIO when it is a
 * thread; negative errno.
 */
int ksm_attach_pidfd(const struct ksm_io *io, const struct ksm_selection *selection, pid_t pid);

/**
 * ksm_attach_call() - one ioctl
 * @fd: of ksm_attach_open()
 * @op: KSM_ABI_ATTACH, KSM_ABI_DETACH or KSM_ABI_ATTACH_QUERY
 * @pidfd: the process
 * @result: the engine's answer, also after a failure
 *
 * Return: 0 or negative errno, see struct ksm_abi_attach.
 */
int ksm_attach_call(int fd, unsigned int op, int pidfd, struct ksm_abi_attach *result);

/**
 * ksm_attach_list() - all attached processes
 * @fd: of ksm_attach_open()
 * @rows: to be freed by the caller
 * @count: how many
 *
 * Return: 0 or negative errno.
 */
int ksm_attach_list(int fd, struct ksm_abi_attached **rows, size_t *count);

/**
 * ksm_attach_reason() - why ksm_attach_call() failed, in words
 * @code: negative errno
 * @buf: receives the words
 *
 * Return: @buf.
 */
char *ksm_attach_reason(const struct ksm_io *io, int code, char *buf, size_t size);

/**
 * ksm_seccomp_filtered() - is this process under a seccomp filter?
 *
 * Tells whether a system call that gave EPERM or ENOSYS may have been refused by a filter.
 */
bool ksm_seccomp_filtered(const struct ksm_io *io);

/**
 * ksm_has_capability() - does this process have a capability in effect?
 * @number: CAP_*
 */
bool ksm_has_capability(const struct ksm_io *io, unsigned int number);

#endif /* KSMKIT_ATTACH_H */
