/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the library needs: how an error travels, and a few small helpers.
 */
#ifndef KSMKIT_UTIL_H
#define KSMKIT_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KSMKIT_VERSION "0.1.0"

/* Exit statuses of every tool. */
#define KSM_EXIT_OK 0
#define KSM_EXIT_FAILED 1
#define KSM_EXIT_USAGE 2

#define KSM_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/**
 * struct ksm_error - what went wrong, in the words the user gets
 * @code: negative errno
 * @usage: the command line is at fault (exit 2) rather than the machine (exit 1)
 * @text: one line without newline: the thing, then the remedy
 */
struct ksm_error {
	int code;
	bool usage;
	char text[512];
};

/**
 * ksm_error_set() - record a failure
 * @err: filled, may be NULL
 * @code: negative errno
 * @fmt: printf format of the one line
 *
 * Return: @code, so that callers can return it at once.
 */
int ksm_error_set(struct ksm_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * ksm_error_usage() - as ksm_error_set(), the command line being at fault (-EINVAL)
 */
int ksm_error_usage(struct ksm_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * ksm_error_exit() - the exit status an error asks for
 */
int ksm_error_exit(const struct ksm_error *err);

/**
 * ksm_monotonic_ns() - CLOCK_MONOTONIC, the clock of every event and snapshot
 */
uint64_t ksm_monotonic_ns(void);

/**
 * ksm_page_size() - bytes of a page on this machine
 */
int64_t ksm_page_size(void);

/**
 * ksm_parse_u64() - an unsigned decimal number and nothing else
 * @text: digits; no sign, no blank, no unit
 * @value: the number
 *
 * Return: 0, -EINVAL when @text is anything else, -ERANGE when it does not fit.
 */
int ksm_parse_u64(const char *text, uint64_t *value);

/**
 * ksm_parse_s64() - as ksm_parse_u64() with an optional minus sign
 */
int ksm_parse_s64(const char *text, int64_t *value);

/**
 * ksm_parse_size() - bytes, with K, M, G or T behind for powers of 1024
 *
 * Return: as ksm_parse_u64().
 */
int ksm_parse_size(const char *text, uint64_t *bytes);

/**
 * ksm_copy() - copy a string into a buffer, always terminated
 *
 * Return: false when it was cut.
 */
bool ksm_copy(char *to, size_t size, const char *from);

/**
 * ksm_chomp() - cut trailing newlines and blanks
 */
void ksm_chomp(char *text);

/**
 * ksm_utf8_len() - bytes of the UTF-8 character at the start of a string
 *
 * Return: 1 to 4, 0 at the end of the string or where it is no valid UTF-8.
 */
size_t ksm_utf8_len(const char *text);

/**
 * ksm_edit_distance() - Levenshtein distance, for "did you mean"
 *
 * Return: the distance; strings longer than 63 bytes count as infinitely far (UINT_MAX).
 */
unsigned int ksm_edit_distance(const char *a, const char *b);

#endif /* KSMKIT_UTIL_H */
