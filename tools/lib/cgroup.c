// SPDX-License-Identifier: GPL-2.0
#include "lib/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"

struct lookup {
	char *path;
	size_t size;
	bool found;
	bool cut;
};

static int cgroup_line(const char *line, void *ctx)
{
	struct lookup *l = ctx;
	const char *controllers = strchr(line, ':'), *path;
	bool unified;

	path = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!path)
		return 0;
	unified = !strncmp(line, "0::", 3);
	path++;
	/* "3:cpu,memory:/a" as well as "9:memory:/a" */
	if (!unified && !memmem(controllers, (size_t)(path - controllers), "memory", 6))
		return 0;
	/* old hierarchies come first, the unified one last: it wins unless it is not in use */
	if (l->found && unified && !strcmp(path, "/"))
		return 0;
	l->cut = !ksm_copy(l->path, l->size, path);
	l->found = true;
	return 0;
}

int ksm_cgroup_read(const struct ksm_io *io, pid_t pid, char *path, size_t size)
{
	struct lookup l = { .path = path, .size = size };
	char file[64];
	int ret;

	path[0] = '\0';
	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	ret = ksm_io_each_line(io, file, cgroup_line, &l);
	if (ret)
		return ret;
	if (!l.found)
		return -ENOENT;
	return l.cut ? -ENAMETOOLONG : 0;
}

/* systemd's escapes: \x2d is a dash */
static void unescape(char *text)
{
	char *to = text;
	unsigned int c;

	while (*text) {
		if (text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
		    isxdigit((unsigned char)text[3]) && sscanf(text + 2, "%2x", &c) == 1 && c) {
			*to++ = (char)c;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* Container ids are long hexadecimal numbers, of which twelve digits are shown everywhere. */
static bool is_id(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return len >= 32;
}

struct runtime {
	const char *prefix; /* of the component */
	const char *suffix;
	const char *label;
	bool id; /* what stands between is an id */
};

static const struct runtime runtimes[] = {
	{ "docker-", ".scope", "docker", true },
	{ "libpod-", ".scope", "podman", true },
	{ "cri-containerd-", ".scope", "containerd", true },
	{ "crio-", ".scope", "crio", true },
	{ "nerdctl-", ".scope", "nerdctl", true },
	{ "lxc.payload.", "", "lxc", false },
	{ "lxc.monitor.", "", "lxc", false },
	{ "systemd-nspawn@", ".service", "nspawn", false },
};

/* machine-qemu\x2d3\x2dweb1.scope: libvirt's guest web1, the third since it was started */
static bool libvirt_guest(const char *text, char *name, size_t size)
{
	char plain[KSM_CGROUP_NAME_MAX], *end;
	int at = 0;

	ksm_copy(plain, sizeof(plain), text);
	unescape(plain);
	end = strstr(plain, ".scope");
	if (!end || end[6] || (sscanf(plain, "machine-qemu-%*u-%n", &at), !at))
		return false;
	*end = '\0';
	snprintf(name, size, "guest:%.100s", plain + at);
	return true;
}

static bool runtime_name(const struct runtime *r, const char *text, char *name, size_t size)
{
	size_t len = strlen(text), prefix = strlen(r->prefix), suffix = strlen(r->suffix);
	char plain[KSM_CGROUP_NAME_MAX];

	if (len <= prefix + suffix || strncmp(text, r->prefix, prefix) ||
	    strcmp(text + len - suffix, r->suffix))
		return false;
	len -= prefix + suffix;
	if (r->id && !is_id(text + prefix, len))
		return false;
	snprintf(plain, sizeof(plain), "%.*s", r->id ? 12 : (int)len, text + prefix);
	unescape(plain);
	snprintf(name, size, "%s:%s", r->label, plain);
	return true;
}

/* @before: the component above, "" at the top */
static bool component_name(const char *text, const char *before, char *name, size_t size)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < KSM_ARRAY_SIZE(runtimes); i++)
		if (runtime_name(&runtimes[i], text, name, size))
			return true;
	if (libvirt_guest(text, name, size))
		return true;
	/* without systemd: /docker/ID, /kubepods/burstable/podUID/ID, /lxc/NAME; Proxmox */
	if (is_id(text, len)) {
		bool docker = !strcmp(before, "docker");

		snprintf(name, size, "%s:%.12s", docker ? "docker" : "container", text);
		return true;
	}
	if (!strcmp(before, "lxc")) {
		snprintf(name, size, "lxc:%.100s", text);
		return true;
	}
	if (!strcmp(before, "qemu.slice") && len > 6 && !strcmp(text + len - 6, ".scope")) {
		snprintf(name, size, "guest:%.*s", (int)(len - 6), text);
		return true;
	}
	return false;
}

bool ksm_cgroup_name(const char *path, char *unit, size_t unit_size, char *name, size_t name_size)
{
	char text[KSM_CGROUP_PATH_MAX] = "", before[KSM_CGROUP_PATH_MAX] = "";
	const char *at = path;

	while (*at) {
		size_t len;

		at += strspn(at, "/");
		len = strcspn(at, "/");
		if (!len)
			break;
		ksm_copy(before, sizeof(before), text);
		snprintf(text, sizeof(text), "%.*s", (int)len, at);
		at += len;
		if (component_name(text, before, name, name_size)) {
			snprintf(unit, unit_size, "%.*s", (int)(at - path), path);
			return true;
		}
	}
	ksm_copy(unit, unit_size, path);
	unescape(text);
	ksm_copy(name, name_size, text[0] ? text : "/");
	return false;
}
