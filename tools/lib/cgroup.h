/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which control group a process is in, and what people call it: a container, a unit, a guest.
 */
#ifndef KSMKIT_CGROUP_H
#define KSMKIT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/io.h"

#define KSM_CGROUP_PATH_MAX 512
#define KSM_CGROUP_NAME_MAX 128

/**
 * ksm_cgroup_read() - the control group of a process
 * @io: where
 * @pid: process
 * @path: receives the path below the hierarchy's root, "/" for the root group
 * @size: of @path
 *
 * The path in the unified hierarchy; where that is the root group and there are old hierarchies,
 * the one of their memory controller. Return: 0; -ENOENT when the process is gone or the kernel
 * has no control groups; -ENAMETOOLONG; negative errno.
 */
int ksm_cgroup_read(const struct ksm_io *io, pid_t pid, char *path, size_t size);

/**
 * ksm_cgroup_name() - the container, guest or unit that a path belongs to
 * @path: of ksm_cgroup_read()
 * @unit: receives the part of @path up to and with the component that names it: processes in
 *	groups that a container makes for itself belong to the container
 * @unit_size: of @unit
 * @name: receives "docker:4f1c2d3e5a6b", "podman:...", "lxc:web", "guest:web1", or where nothing
 *	is recognised the last component ("nginx.service"), "/" for the root group
 * @name_size: of @name
 *
 * Names are cut to fit. Return: whether it is a container or guest.
 */
bool ksm_cgroup_name(const char *path, char *unit, size_t unit_size, char *name, size_t name_size);

#endif /* KSMKIT_CGROUP_H */
