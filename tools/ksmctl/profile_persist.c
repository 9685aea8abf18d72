// SPDX-License-Identifier: GPL-2.0
/*
 * A profile that survives a reboot: one systemd unit that holds the values themselves, so that it
 * can be read, and removed by hand.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ksmctl/profile.h"
#include "lib/log.h"
#include "lib/spawn.h"

#define UNIT "ksmkit-profile.service"
#define UNIT_PATH "/etc/systemd/system/" UNIT
#define WANTS_PATH "/etc/systemd/system/multi-user.target.wants/" UNIT

const char *profile_unit_path(void)
{
	return UNIT_PATH;
}

int profile_unit(const struct ksmctl *ctl, const char *name, const struct ksm_profile_point *point,
		 char *text, size_t size)
{
	const char *backend = ksm_backend_kind_name(ctl->b.kind);
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *to = fmemopen(text, size, "w");
	int ret;

	if (!to)
		return -ENOMEM;
	self[n > 0 ? n : 0] = '\0';
	fprintf(to,
		"# Written by 'ksmctl profile apply %s --persist'; 'ksmctl profile forget' removes "
		"it.\n"
		"[Unit]\n"
		"Description=KSM profile %s\n"
		"Documentation=man:ksmctl(8)\n"
		"After=systemd-modules-load.service ksm.service\n"
		"\n"
		"[Service]\n"
		"Type=oneshot\n"
		"RemainAfterExit=yes\n",
		name, name);
	if (ctl->b.kind == KSM_BACKEND_ENGINE)
		fprintf(to, "ExecStart=%s engine load\n", self);
	fprintf(to, "ExecStart=%s --backend %s set", self, backend);
	for (unsigned int i = 0; i < point->count; i++)
		fprintf(to, " %s=%s", point->set[i].knob->name, point->set[i].text);
	fputs("\n\n[Install]\nWantedBy=multi-user.target\n", to);
	ret = ferror(to) || ftell(to) >= (long)size - 1 ? -EFBIG : 0;
	if (fclose(to))
		ret = -EFBIG;
	return ret;
}

/* systemd looks at the file at the next boot; this is for those who ask it before. */
static void reload_systemd(const struct ksm_io *io)
{
	char *const argv[] = { "systemctl", "daemon-reload", NULL };
	char out[256];

	if (io->root[0] || !ksm_io_exists(io, "/run/systemd/system"))
		return;
	if (ksm_spawn(argv, out, sizeof(out)))
		ksm_log_warn("systemctl daemon-reload failed: systemd knows the change after the "
			     "next boot");
}

int profile_persist(const struct ksmctl *ctl, const char *text, struct ksm_error *err)
{
	const struct ksm_io *io = &ctl->b.io;
	int ret = ksm_io_replace(io, UNIT_PATH, text, strlen(text));

	if (!ret) {
		ret = ksm_io_link(io, WANTS_PATH, "../" UNIT);
		if (ret)
			ksm_io_remove(io, UNIT_PATH);
	}
	if (ret)
		return ksm_error_set(err, ret,
				     "%s cannot be written: %s%s; the knobs are set until the next "
				     "boot",
				     UNIT_PATH, strerror(-ret),
				     ret == -EACCES ? " (run as root)" : "");
	reload_systemd(io);
	return 0;
}

int profile_forget(const struct ksm_io *io, struct ksm_error *err)
{
	int link = ksm_io_remove(io, WANTS_PATH), unit = ksm_io_remove(io, UNIT_PATH);
	int ret = link && link != -ENOENT ? link : unit && unit != -ENOENT ? unit : 0;

	if (ret)
		return ksm_error_set(err, ret, "%s cannot be removed: %s", UNIT_PATH,
				     strerror(-ret));
	if (link && unit)
		return 1;
	reload_systemd(io);
	return 0;
}
