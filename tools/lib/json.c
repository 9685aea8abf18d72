// SPDX-License-Identifier: GPL-2.0
#include "lib/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void ksm_json_int(struct json_object *to, const char *key, int64_t value)
{
	json_object_object_add(to, key, json_object_new_int64(value));
}

void ksm_json_uint(struct json_object *to, const char *key, uint64_t value)
{
	json_object_object_add(to, key, json_object_new_uint64(value));
}

void ksm_json_double(struct json_object *to, const char *key, double value)
{
	json_object_object_add(to, key, json_object_new_double(value));
}

void ksm_json_bool(struct json_object *to, const char *key, bool value)
{
	json_object_object_add(to, key, json_object_new_boolean(value));
}

/* json-c escapes control characters but passes broken UTF-8 on: a comm may be any bytes. */
static struct json_object *json_text(const char *value)
{
	struct json_object *o;
	char *copy = strdup(value);

	if (!copy)
		return NULL;
	for (char *c = copy; *c;) {
		size_t len = ksm_utf8_len(c);

		if (!len)
			*c = '?';
		c += len ? len : 1;
	}
	o = json_object_new_string(copy);
	free(copy);
	return o;
}

void ksm_json_str(struct json_object *to, const char *key, const char *value)
{
	json_object_object_add(to, key, value ? json_text(value) : NULL);
}

struct json_object *ksm_json_obj(struct json_object *to, const char *key)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(to, key, o);
	return o;
}

struct json_object *ksm_json_arr(struct json_object *to, const char *key)
{
	struct json_object *o = json_object_new_array();

	json_object_object_add(to, key, o);
	return o;
}

int ksm_json_print(struct json_object *root)
{
	const char *text = json_object_to_json_string_ext(
		root,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	int ret = !text || puts(text) < 0 || fflush(stdout) ? -EIO : 0;

	json_object_put(root);
	return ret;
}
