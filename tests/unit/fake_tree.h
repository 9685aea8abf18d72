/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine made of files: a directory tree with the kernel's paths, for tests of tools/lib.
 */
#ifndef TESTS_FAKE_TREE_H
#define TESTS_FAKE_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/backend.h"

static char tree_root[PATH_MAX - 512];

static inline int tree_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *ftw)
{
	return remove(path);
}

/* cmocka setup and teardown */
static inline int tree_new(void **state)
{
	snprintf(tree_root, sizeof(tree_root), "/tmp/ksmkit-unit.XXXXXX");
	return mkdtemp(tree_root) ? 0 : -1;
}

static inline int tree_delete(void **state)
{
	return nftw(tree_root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void tree_path(char *full, const char *path)
{
	int len = snprintf(full, PATH_MAX, "%s%s", tree_root, path);

	assert_in_range(len, 1, PATH_MAX - 1);
}

/* Create or replace a file with its directories. */
static inline void tree_put(const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *file;

	tree_path(full, path);
	for (char *c = full + strlen(tree_root) + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		mkdir(full, 0755);
		*c = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void tree_drop(const char *path)
{
	char full[PATH_MAX];

	tree_path(full, path);
	assert_int_equal(unlink(full), 0);
}

static inline void tree_expect(const char *path, const char *text)
{
	char full[PATH_MAX], got[4096];
	size_t len;
	FILE *file;

	tree_path(full, path);
	file = fopen(full, "r");
	assert_non_null(file);
	len = fread(got, 1, sizeof(got) - 1, file);
	got[len] = '\0';
	fclose(file);
	assert_string_equal(got, text);
}

/* Every file of a KSM directory at its default; @since_6_12 leaves out what 6.1 lacks. */
static inline void tree_ksm(const char *dir, bool since_6_12)
{
	char path[256], text[64];

	for (unsigned int i = 0; i < ksm_knob_count; i++) {
		const struct ksm_knob *knob = &ksm_knobs[i];

		if (knob->flags & KSM_ABI_SINCE_6_12 && !since_6_12)
			continue;
		if (knob->flags & KSM_ABI_ENGINE && strcmp(dir, KSM_ABI_ENGINE_DIR))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, knob->name);
		snprintf(text, sizeof(text), "%lld\n", (long long)knob->def);
		if (knob->id == KSM_ABI_ADVISOR_MODE)
			snprintf(text, sizeof(text), "[none] scan-time\n");
		else if (knob->id == KSM_ABI_MERGE_DOMAIN)
			snprintf(text, sizeof(text), "[all] uid cgroup\n");
		tree_put(path, text);
	}
}

/* A backend over the tree. */
static inline struct ksm_backend tree_open(void)
{
	struct ksm_backend b;
	struct ksm_error err = { 0 };
	char spec[PATH_MAX];

	snprintf(spec, sizeof(spec), "fake:%s", tree_root);
	if (ksm_backend_open(&b, spec, &err))
		fail_msg("%s", err.text);
	return b;
}

#endif /* TESTS_FAKE_TREE_H */
