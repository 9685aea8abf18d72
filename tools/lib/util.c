// SPDX-License-Identifier: GPL-2.0
#include "lib/util.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void error_format(struct ksm_error *err, int code, bool usage, const char *fmt, va_list ap)
{
	err->code = code;
	err->usage = usage;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

int ksm_error_set(struct ksm_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	error_format(err, code, false, fmt, ap);
	va_end(ap);
	return code;
}

int ksm_error_usage(struct ksm_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -EINVAL;
	va_start(ap, fmt);
	error_format(err, -EINVAL, true, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int ksm_error_exit(const struct ksm_error *err)
{
	return err->usage ? KSM_EXIT_USAGE : KSM_EXIT_FAILED;
}

uint64_t ksm_monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int64_t ksm_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

int ksm_parse_u64(const char *text, uint64_t *value)
{
	uint64_t v = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned int digit = (unsigned char)*text - '0';

		if (digit > 9)
			return -EINVAL;
		if (v > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	*value = v;
	return 0;
}

int ksm_parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	size_t length = strlen(text);
	const char *unit = length ? strchr(units, text[length - 1]) : NULL;
	unsigned int shift = unit && *unit ? 10 * (unit - units + 1) : 0;
	char digits[24];
	int ret;

	if (!length || length > sizeof(digits))
		return -EINVAL;
	snprintf(digits, sizeof(digits), "%.*s", (int)(length - !!shift), text);
	ret = ksm_parse_u64(digits, bytes);
	if (ret)
		return ret;
	if (shift && *bytes >> (64 - shift))
		return -ERANGE;
	*bytes <<= shift;
	return 0;
}

int ksm_parse_s64(const char *text, int64_t *value)
{
	bool minus = *text == '-';
	uint64_t v;
	int ret = ksm_parse_u64(text + minus, &v);

	if (ret)
		return ret;
	if (v > (uint64_t)INT64_MAX + minus)
		return -ERANGE;
	*value = minus ? (int64_t)-v : (int64_t)v;
	return 0;
}

bool ksm_copy(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size);
	bool fits = len < size;

	if (!size)
		return false;
	if (!fits)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
	return fits;
}

void ksm_chomp(char *text)
{
	size_t len = strlen(text);

	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
}

/* Length that the lead byte announces, and the smallest code point that may use it. */
static size_t utf8_lead(unsigned char c, uint32_t *min, uint32_t *bits)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t i = 0; i < KSM_ARRAY_SIZE(forms); i++) {
		if ((c & forms[i].mask) == forms[i].lead) {
			*min = forms[i].min;
			*bits = c & (unsigned char)~forms[i].mask;
			return i + 1;
		}
	}
	return 0;
}

size_t ksm_utf8_len(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t min, cp;
	size_t len;

	if (!*s)
		return 0;
	len = utf8_lead(*s, &min, &cp);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	/* overlong forms, surrogates and what lies beyond Unicode are no characters */
	if (!len || cp < min || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	return len;
}

#define EDIT_MAX 64

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned int ksm_edit_distance(const char *a, const char *b)
{
	unsigned int row[EDIT_MAX];
	size_t la = strlen(a), lb = strlen(b);

	if (la >= EDIT_MAX || lb >= EDIT_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}
