/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual machines by name: what a QEMU (or another monitor) was told on its command line.
 */
#ifndef KSMKIT_GUEST_H
#define KSMKIT_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/io.h"

#define KSM_GUEST_NAME_MAX 128

/**
 * ksm_guest_name() - is this process a virtual machine, and which?
 * @io: where
 * @pid: process
 * @name: receives the guest's name: QEMU's -name (guest= or the first word), its -id (Proxmox)
 *	behind the name in brackets or alone, else its -uuid, else "pid N"
 * @size: of @name, KSM_GUEST_NAME_MAX is enough
 *
 * Return: false when it is no monitor that we know, when the process is gone, or when its command
 * line cannot be read; @name is "" then.
 */
bool ksm_guest_name(const struct ksm_io *io, pid_t pid, char *name, size_t size);

/**
 * ksm_guest_parse() - the same from a command line
 * @cmdline: arguments, each ended by a NUL, as in /proc/PID/cmdline
 * @len: bytes of it
 * @name: receives the name, "" when the command line gives none
 * @size: of @name
 */
bool ksm_guest_parse(const char *cmdline, size_t len, char *name, size_t size);

#endif /* KSMKIT_GUEST_H */
