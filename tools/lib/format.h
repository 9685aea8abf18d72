/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers and tables as people read them.
 *
 * Every function writes into the caller's buffer, cuts rather than overflows, and returns it, so
 * that it can stand in an argument list.
 */
#ifndef KSMKIT_FORMAT_H
#define KSMKIT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Long enough for any of the functions below. */
#define KSM_FORMAT_MAX 32

/* 1536 -> "1.5 KiB"; -3 MiB -> "-3.0 MiB"; below 1 KiB "512 B" */
char *ksm_format_bytes(char *buf, size_t size, int64_t bytes);

/* Pages of this machine's size, as bytes. */
char *ksm_format_pages(char *buf, size_t size, int64_t pages);

/* 1234567 -> "1,234,567" */
char *ksm_format_count(char *buf, size_t size, int64_t count);

/* Narrow: 999 -> "999", 12345 -> "12.3k", 4.5e6 -> "4.5M"; for rates and columns */
char *ksm_format_short(char *buf, size_t size, double value);

/* ksm_format_short() with "/s" */
char *ksm_format_rate(char *buf, size_t size, double per_second);

/* "12.3 %"; "-" when whole is 0 */
char *ksm_format_percent(char *buf, size_t size, double part, double whole);

/* Nanoseconds: "850 ns", "12.5 us", "3.4 ms", "2.10 s", "4 min 05 s", "3 h 07 min" */
char *ksm_format_duration(char *buf, size_t size, uint64_t ns);

/**
 * ksm_format_safe() - text from elsewhere (a comm), made safe for a terminal
 *
 * Control bytes and bytes that are no valid UTF-8 become '?'.
 */
char *ksm_format_safe(char *buf, size_t size, const char *text);

#define KSM_TABLE_COLUMNS 12

/**
 * struct ksm_column - of a table
 * @title: heading
 * @right: aligned right (numbers)
 */
struct ksm_column {
	const char *title;
	bool right;
};

/**
 * struct ksm_table - rows collected, then printed with columns as wide as they need
 *
 * Opaque: ksm_table_new(), rows, print, free.
 */
struct ksm_table;

/* NULL when out of memory. @columns must outlive the table; at most KSM_TABLE_COLUMNS. */
struct ksm_table *ksm_table_new(const struct ksm_column *columns, unsigned int count);

/* One cell for every column; copied. Return: 0 or -ENOMEM. */
int ksm_table_row(struct ksm_table *t, const char *const *cells);

/* Without trailing blanks; @heading false leaves the titles away. */
void ksm_table_print(const struct ksm_table *t, FILE *to, bool heading);

/* Accepts NULL. */
void ksm_table_free(struct ksm_table *t);

#endif /* KSMKIT_FORMAT_H */
