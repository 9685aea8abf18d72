// SPDX-License-Identifier: GPL-2.0
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "meters.h"

#define FILE_NAME "ksmkit/ksmtop.conf"

/* Return: false when there is no home to keep anything in. */
static bool config_path(char *path, size_t size)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int len = -1;

	if (xdg && *xdg == '/')
		len = snprintf(path, size, "%s/%s", xdg, FILE_NAME);
	else if (home && *home == '/')
		len = snprintf(path, size, "%s/.config/%s", home, FILE_NAME);
	return len >= 0 && (size_t)len < size;
}

/* A meter that a later release has, or that is there twice, is left out. */
static void take_meters(struct ksmtop_ui *ui, const char *value)
{
	char text[KSM_CONF_LINE], *save = NULL;

	ksm_copy(text, sizeof(text), value);
	ui->nmeters = 0;
	for (char *id = strtok_r(text, " ", &save); id; id = strtok_r(NULL, " ", &save)) {
		int meter = meter_find(id);

		for (int i = 0; i < ui->nmeters; i++)
			if (ui->meters[i] == meter)
				meter = -1;
		if (meter >= 0)
			ui->meters[ui->nmeters++] = meter;
	}
}

static int take_line(const char *key, const char *value, void *ctx, struct ksm_error *err)
{
	struct ksmtop_ui *ui = ctx;

	if (!strcmp(key, "meters"))
		take_meters(ui, value);
	else if (!strcmp(key, "tree"))
		ui->tree = !strcmp(value, "yes");
	return 0;
}

int config_load(struct ksmtop_ui *ui, struct ksm_error *err)
{
	char path[PATH_MAX], text[KSM_CONF_FILE];
	struct ksm_io io = { 0 };
	ssize_t len;

	ui->nmeters = meters_standard(ui->meters);
	if (!config_path(path, sizeof(path)))
		return 0;
	len = ksm_io_read(&io, path, text, sizeof(text));
	if (len == -ENOENT)
		return 0;
	if (len < 0)
		return ksm_error_set(err, (int)len, "%s: %s: remove or repair it", path,
				     strerror((int)-len));
	return ksm_conf_parse(text, (size_t)len, path, take_line, ui, err);
}

int config_save(const struct ksmtop_ui *ui, char *path, size_t size, struct ksm_error *err)
{
	char text[KSM_CONF_LINE * 2] = "# written by ksmtop (F2)\nmeters =";
	struct ksm_io io = { 0 };
	size_t len = strlen(text);
	int ret;

	if (!config_path(path, size))
		return ksm_error_set(err, -ENOENT, "HOME is not set: nowhere to save the setup");
	for (int i = 0; i < ui->nmeters; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, " %s",
					ksmtop_meters[ui->meters[i]].id);
	if (!ui->nmeters)
		len += (size_t)snprintf(text + len, sizeof(text) - len, " none");
	len += (size_t)snprintf(text + len, sizeof(text) - len, "\ntree = %s\n",
				ui->tree ? "yes" : "no");
	ret = ksm_io_replace(&io, path, text, len);
	if (ret)
		return ksm_error_set(err, ret, "%s: %s", path, strerror(-ret));
	return 0;
}
