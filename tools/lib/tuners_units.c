// SPDX-License-Identifier: GPL-2.0
/*
 * Who will set KSM at the next start of the machine: enabled systemd units and lines of tmpfiles.d
 * that name its files, or run our own ksmctl.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tuners_priv.h"

/* Longer files are judged by their beginning. */
#define TEXT_MAX 16384

/* An administrator's directory hides the file of the same name in a package's: looked at first. */
static const struct {
	const char *path;
	const char *suffix;
	const char *remedy;
} dirs[] = {
	{ "/etc/systemd/system/sysinit.target.wants", ".service", "systemctl disable it" },
	{ "/etc/systemd/system/basic.target.wants", ".service", "systemctl disable it" },
	{ "/etc/systemd/system/multi-user.target.wants", ".service", "systemctl disable it" },
	{ "/etc/systemd/system/graphical.target.wants", ".service", "systemctl disable it" },
	{ "/etc/systemd/system/timers.target.wants", ".service", "systemctl disable it" },
	{ "/etc/tmpfiles.d", ".conf", "take its lines about KSM out" },
	{ "/run/tmpfiles.d", ".conf", "take its lines about KSM out" },
	{ "/usr/lib/tmpfiles.d", ".conf", "an empty file of that name in /etc/tmpfiles.d" },
};

/* A line that is no comment and writes a file of KSM's, or has a ksmctl do it. */
static bool line_sets_ksm(const char *line)
{
	line += strspn(line, " \t");
	if (*line == '#' || *line == ';')
		return false;
	return strstr(line, KSM_ABI_KERNEL_DIR "/") || strstr(line, KSM_ABI_ENGINE_DIR "/") ||
	       (!strncmp(line, "Exec", 4) && strstr(line, "ksmtuned")) ||
	       (!strncmp(line, "Exec", 4) && strstr(line, "ksmctl") &&
		(strstr(line, " set ") || strstr(line, " start") || strstr(line, " tune") ||
		 strstr(line, " profile ")));
}

static bool sets_ksm(const struct ksm_io *io, const char *path)
{
	char *text = malloc(TEXT_MAX), *rest = text, *line;
	bool found = false;

	if (text && ksm_io_read(io, path, text, TEXT_MAX) > 0)
		while (!found && (line = strsep(&rest, "\n")))
			found = line_sets_ksm(line);
	free(text);
	return found;
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && !strcmp(name + len - n, suffix);
}

void ksm_tuners_find_units(const struct ksm_io *io, struct ksm_tuners *t)
{
	for (size_t i = 0; i < KSM_ARRAY_SIZE(dirs); i++) {
		char path[2 * PATH_MAX];
		struct dirent **names;
		int count;

		snprintf(path, sizeof(path), "%s%s", io->root, dirs[i].path);
		count = scandir(path, &names, NULL, alphasort);
		for (int k = 0; k < count; k++) {
			snprintf(path, sizeof(path), "%s/%s", dirs[i].path, names[k]->d_name);
			if (ends_in(names[k]->d_name, dirs[i].suffix) && sets_ksm(io, path))
				ksm_tuners_add(t, KSM_TUNER_AT_START, 0, names[k]->d_name,
					       dirs[i].remedy);
			free(names[k]);
		}
		if (count >= 0)
			free(names);
	}
}
