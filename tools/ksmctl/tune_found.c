// SPDX-License-Identifier: GPL-2.0
/*
 * What tune found, kept where the next start finds it should this one be killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ksmctl/tune.h"
#include "lib/conf.h"

#define STATE "/run/ksmkit/tune.state"
#define LOCK "/run/ksmkit/tune.lock"

static const unsigned int knobs[] = { KSM_ABI_PAGES_TO_SCAN, KSM_ABI_SLEEP_MILLISECS, KSM_ABI_RUN };

int tune_lock(const struct ksm_io *io, struct ksm_error *err)
{
	char path[PATH_MAX + 32];
	int fd = -1, ret = 0;

	snprintf(path, sizeof(path), "%s" LOCK, io->root);
	if (!ksm_io_exists(io, LOCK))
		ret = ksm_io_replace(io, LOCK, "", 0);
	if (!ret) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		ret = fd < 0 ? -errno : 0;
	}
	if (ret)
		return ksm_error_set(err, ret, "%s: %s%s", path, strerror(-ret),
				     ret == -EACCES ? "; tuning needs root (try sudo)" : "");
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0; /* the open file holds it until we end, however we do */
	close(fd);
	return ksm_error_set(err, -EBUSY, "another 'ksmctl tune' is running");
}

static int state_line(const char *key, const char *value, void *ctx, struct ksm_error *err)
{
	struct tune_found *found = ctx;
	const struct ksm_knob *knob;
	int64_t number;

	if (!strcmp(key, "backend")) {
		found->kind = !strcmp(value, ksm_backend_kind_name(KSM_BACKEND_ENGINE)) ?
				      KSM_BACKEND_ENGINE :
				      KSM_BACKEND_KERNEL;
		return 0;
	}
	knob = ksm_knob_find(key, err);
	if (!knob || ksm_knob_check(knob, value, &number, err))
		return -EINVAL;
	if (found->count == KSM_ARRAY_SIZE(found->set))
		return ksm_error_set(err, -EINVAL, "too many knobs");
	ksm_setting_make(&found->set[found->count++], knob->id, number);
	return 0;
}

int tune_recover(const struct ksm_backend *located, struct ksm_error *err)
{
	struct tune_found found = { 0 };
	struct ksm_backend b = *located;
	char text[512];
	ssize_t len = ksm_io_read(&b.io, STATE, text, sizeof(text));
	int ret;

	if (len == -ENOENT)
		return 0;
	if (len < 0)
		return ksm_error_set(err, (int)len, STATE ": %s", strerror((int)-len));
	ret = ksm_conf_parse(text, (size_t)len, STATE, state_line, &found, err);
	if (ret)
		return ret;
	/* an engine that has gone took its knobs along */
	if (ksm_backend_exists(&b.io, found.kind)) {
		ret = ksm_backend_select(&b, found.kind, err);
		if (!ret)
			ret = ksm_backend_apply(&b, found.set, found.count, err);
	}
	if (ret)
		return ret;
	tune_forget(&b.io);
	return 1;
}

int tune_remember(const struct ksm_backend *b, const struct ksm_counters_snapshot *s,
		  struct tune_found *found, struct ksm_error *err)
{
	char text[256];
	int len = snprintf(text, sizeof(text),
			   "# what 'ksmctl tune' found and puts back\nbackend = %s\n",
			   ksm_backend_kind_name(b->kind));
	int ret;

	memset(found, 0, sizeof(*found));
	found->kind = b->kind;
	for (size_t i = 0; i < KSM_ARRAY_SIZE(knobs); i++) {
		struct ksm_setting *set = &found->set[found->count];

		if (!ksm_snapshot_has(s, knobs[i]))
			continue;
		ksm_setting_make(set, knobs[i], ksm_snapshot_get(s, knobs[i]) & 0xffffffff);
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s = %s\n",
				set->knob->name, set->text);
		found->count++;
	}
	ret = ksm_io_replace(&b->io, STATE, text, (size_t)len);
	return ret ? ksm_error_set(err, ret, STATE ": %s", strerror(-ret)) : 0;
}

int tune_restore(const struct ksm_backend *b, struct tune_found *found, struct ksm_error *err)
{
	int ret = ksm_backend_apply(b, found->set, found->count, err);

	if (!ret)
		tune_forget(&b->io);
	return ret;
}

void tune_forget(const struct ksm_io *io)
{
	ksm_io_remove(io, STATE);
}
