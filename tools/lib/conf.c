// SPDX-License-Identifier: GPL-2.0
#include "lib/conf.h"

#include <errno.h>
#include <string.h>

#define BLANKS " \t\r"

/* Cut a comment and the blanks at both ends. Return: the first byte that is left. */
static char *trim(char *line)
{
	char *end;

	for (char *c = line; *c; c++) {
		if (*c == '#' && (c == line || strchr(BLANKS, c[-1]))) {
			*c = '\0';
			break;
		}
	}
	line += strspn(line, BLANKS);
	for (end = line + strlen(line); end > line && strchr(BLANKS, end[-1]); end--)
		end[-1] = '\0';
	return line;
}

static int bad_line(struct ksm_error *err, const char *file, unsigned int number, const char *what)
{
	return ksm_error_set(err, -EINVAL, "%s:%u: %s", file, number, what);
}

static int one_line(char *line, const char *file, unsigned int number,
		    int (*fn)(const char *key, const char *value, void *ctx, struct ksm_error *err),
		    void *ctx, struct ksm_error *err)
{
	struct ksm_error why = { 0 };
	char *equals;
	int ret;

	line = trim(line);
	if (!*line)
		return 0;
	equals = strchr(line, '=');
	if (!equals || equals == line)
		return bad_line(err, file, number, "not a 'key = value' line");
	*equals = '\0';
	ret = fn(trim(line), trim(equals + 1), ctx, &why);
	return ret < 0 ? ksm_error_set(err, ret, "%s:%u: %s", file, number, why.text) : 0;
}

int ksm_conf_parse(const char *text, size_t len, const char *file,
		   int (*fn)(const char *key, const char *value, void *ctx, struct ksm_error *err),
		   void *ctx, struct ksm_error *err)
{
	unsigned int number = 0;
	char line[KSM_CONF_LINE];
	int ret = 0;

	for (const char *end = text + len, *next; text < end && !ret; text = next) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t size = (size_t)((newline ? newline : end) - text);

		next = newline ? newline + 1 : end;
		number++;
		if (size >= sizeof(line))
			return bad_line(err, file, number, "the line is too long");
		if (memchr(text, '\0', size))
			return bad_line(err, file, number, "holds a NUL byte");
		memcpy(line, text, size);
		line[size] = '\0';
		ret = one_line(line, file, number, fn, ctx, err);
	}
	return ret;
}
