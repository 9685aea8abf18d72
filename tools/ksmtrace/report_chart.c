// SPDX-License-Identifier: GPL-2.0
#include "ksmtrace/report_view.h"

#define GUTTER 12

static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const letters[] = { " ", ".", ":", "#" };

/* The value at a column: of several that fall into it the last. */
static int64_t value_at(const int64_t *values, unsigned int count, unsigned int column,
			unsigned int width)
{
	unsigned int at = ((uint64_t)(column + 1) * count + width - 1) / width - 1;
	int64_t value = values[at];

	return value > 0 ? value : 0;
}

void report_chart(const int64_t *values, unsigned int count, unsigned int width,
		  unsigned int height, const char *label, bool utf8, FILE *to)
{
	const char *const *marks = utf8 ? blocks : letters;
	unsigned int steps = utf8 ? 8 : 3, full = height * steps, level, blanks;
	int64_t max = 1;

	for (unsigned int i = 0; i < width && count; i++)
		if (value_at(values, count, i, width) > max)
			max = value_at(values, count, i, width);
	for (unsigned int line = height; line-- > 0 && count;) {
		fprintf(to, "%*s %s", GUTTER - 2,
			line + 1 == height ? label :
			line		   ? "" :
					     "0",
			utf8 ? "│" : "|");
		blanks = 0;
		for (unsigned int i = 0; i < width; i++) {
			/* Something is more than nothing: rounded up. */
			level = ((double)value_at(values, count, i, width) * full + max - 1) / max;
			level = level > line * steps ? level - line * steps : 0;
			if (!level) {
				blanks++;
				continue;
			}
			fprintf(to, "%*s%s", (int)blanks, "", marks[level < steps ? level : steps]);
			blanks = 0;
		}
		fputc('\n', to);
	}
}
