// SPDX-License-Identifier: GPL-2.0
#include "lib/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

char *ksm_format_bytes(char *buf, size_t size, int64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	size_t u = 0;

	/* 1023.95 would print as 1024.0 of the smaller unit */
	while (fabs(v) >= (u ? 1023.95 : 1024.0) && u + 1 < KSM_ARRAY_SIZE(units)) {
		v /= 1024.0;
		u++;
	}
	snprintf(buf, size, u ? "%.1f %s" : "%.0f %s", v, units[u]);
	return buf;
}

char *ksm_format_pages(char *buf, size_t size, int64_t pages)
{
	return ksm_format_bytes(buf, size, pages * ksm_page_size());
}

char *ksm_format_count(char *buf, size_t size, int64_t count)
{
	char digits[24], out[KSM_FORMAT_MAX];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64,
			   count < 0 ? -(uint64_t)count : (uint64_t)count);
	size_t at = 0;

	if (count < 0)
		out[at++] = '-';
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	ksm_copy(buf, size, out);
	return buf;
}

char *ksm_format_short(char *buf, size_t size, double value)
{
	static const char units[] = " kMGTPE";
	size_t u = 0;

	while (fabs(value) >= (u ? 999.95 : 999.5) && u + 2 < sizeof(units)) {
		value /= 1000.0;
		u++;
	}
	if (u)
		snprintf(buf, size, "%.1f%c", value, units[u]);
	else
		snprintf(buf, size, "%.0f", value);
	return buf;
}

char *ksm_format_rate(char *buf, size_t size, double per_second)
{
	char number[KSM_FORMAT_MAX];

	snprintf(buf, size, "%s/s", ksm_format_short(number, sizeof(number), per_second));
	return buf;
}

char *ksm_format_percent(char *buf, size_t size, double part, double whole)
{
	if (whole == 0.0)
		ksm_copy(buf, size, "-");
	else
		snprintf(buf, size, "%.1f %%", 100.0 * part / whole);
	return buf;
}

char *ksm_format_duration(char *buf, size_t size, uint64_t ns)
{
	uint64_t seconds = ns / 1000000000u;

	if (!ns)
		ksm_copy(buf, size, "0 s");
	else if (ns < 1000)
		snprintf(buf, size, "%" PRIu64 " ns", ns);
	else if (ns < 999950)
		snprintf(buf, size, "%.1f us", ns / 1e3);
	else if (ns < 999950000)
		snprintf(buf, size, "%.1f ms", ns / 1e6);
	else if (seconds < 60)
		snprintf(buf, size, "%.2f s", ns / 1e9);
	else if (seconds < 3600)
		snprintf(buf, size, "%" PRIu64 " min %02" PRIu64 " s", seconds / 60, seconds % 60);
	else
		snprintf(buf, size, "%" PRIu64 " h %02" PRIu64 " min", seconds / 3600,
			 seconds / 60 % 60);
	return buf;
}

char *ksm_format_safe(char *buf, size_t size, const char *text)
{
	size_t at = 0;

	while (*text && at + 1 < size) {
		size_t len = ksm_utf8_len(text);
		unsigned char c = *text;
		/* U+0080 to U+009F are control characters to a terminal as well */
		bool control = c < 0x20 || c == 0x7f ||
			       (c == 0xc2 && len == 2 && (unsigned char)text[1] < 0xa0);

		if (len && at + len >= size)
			break;
		if (!len || control) {
			buf[at++] = '?';
			text += len ? len : 1;
			continue;
		}
		memcpy(buf + at, text, len);
		at += len;
		text += len;
	}
	if (size)
		buf[at] = '\0';
	return buf;
}
