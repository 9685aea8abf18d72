/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON output, thinly over json-c: numbers that keep 64 bits, text that is always valid UTF-8.
 */
#ifndef KSMKIT_JSON_H
#define KSMKIT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

void ksm_json_int(struct json_object *to, const char *key, int64_t value);
void ksm_json_uint(struct json_object *to, const char *key, uint64_t value);
void ksm_json_double(struct json_object *to, const char *key, double value);
void ksm_json_bool(struct json_object *to, const char *key, bool value);

/* NULL stores null. */
void ksm_json_str(struct json_object *to, const char *key, const char *value);

/* A new object or array below @to, owned by it. */
struct json_object *ksm_json_obj(struct json_object *to, const char *key);
struct json_object *ksm_json_arr(struct json_object *to, const char *key);

/* Print indented with a newline and free it. Return: 0, or -EIO when stdout failed. */
int ksm_json_print(struct json_object *root);

#endif /* KSMKIT_JSON_H */
