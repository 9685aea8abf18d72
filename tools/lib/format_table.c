// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "lib/util.h"

struct ksm_table {
	const struct ksm_column *columns;
	unsigned int count;
	unsigned int width[KSM_TABLE_COLUMNS];
	size_t rows;
	size_t capacity;
	char **cells;
};

/* Characters, not bytes: names may be UTF-8. */
static unsigned int text_width(const char *text)
{
	unsigned int width = 0;

	while (*text) {
		size_t len = ksm_utf8_len(text);

		text += len ? len : 1;
		width++;
	}
	return width;
}

struct ksm_table *ksm_table_new(const struct ksm_column *columns, unsigned int count)
{
	struct ksm_table *t;

	if (count > KSM_TABLE_COLUMNS)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->columns = columns;
	t->count = count;
	return t;
}

static int table_grow(struct ksm_table *t)
{
	size_t capacity = t->capacity ? t->capacity * 2 : 16;
	char **cells;

	if (t->rows < t->capacity)
		return 0;
	cells = reallocarray(t->cells, capacity * t->count, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	t->cells = cells;
	t->capacity = capacity;
	return 0;
}

int ksm_table_row(struct ksm_table *t, const char *const *cells)
{
	char **row;

	if (table_grow(t))
		return -ENOMEM;
	row = &t->cells[t->rows * t->count];
	for (unsigned int i = 0; i < t->count; i++) {
		unsigned int width = text_width(cells[i]);

		row[i] = strdup(cells[i]);
		if (!row[i]) {
			while (i--)
				free(row[i]);
			return -ENOMEM;
		}
		if (width > t->width[i])
			t->width[i] = width;
	}
	t->rows++;
	return 0;
}

static void print_line(const struct ksm_table *t, FILE *to, const char *const *cells,
		       const unsigned int *width)
{
	unsigned int blanks = 0; /* owed, and paid only when something follows */

	for (unsigned int i = 0; i < t->count; i++) {
		unsigned int pad = width[i] - text_width(cells[i]);

		blanks += i ? 2 : 0;
		if (!cells[i][0]) {
			blanks += pad;
			continue;
		}
		fprintf(to, "%*s%s", (int)(blanks + (t->columns[i].right ? pad : 0)), "", cells[i]);
		blanks = t->columns[i].right ? 0 : pad;
	}
	fputc('\n', to);
}

void ksm_table_print(const struct ksm_table *t, FILE *to, bool heading)
{
	const char *titles[KSM_TABLE_COLUMNS];
	unsigned int width[KSM_TABLE_COLUMNS];

	for (unsigned int i = 0; i < t->count; i++) {
		unsigned int title = heading ? text_width(t->columns[i].title) : 0;

		titles[i] = t->columns[i].title;
		width[i] = title > t->width[i] ? title : t->width[i];
	}
	if (heading)
		print_line(t, to, titles, width);
	for (size_t r = 0; r < t->rows; r++)
		print_line(t, to, (const char *const *)&t->cells[r * t->count], width);
}

void ksm_table_free(struct ksm_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows * t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
