/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of "key = value" lines: our profiles, and what a daemon leaves for its next start.
 */
#ifndef KSMKIT_CONF_H
#define KSMKIT_CONF_H

#include <stddef.h>

#include "lib/util.h"

/* Longest line, longest file. */
#define KSM_CONF_LINE 256
#define KSM_CONF_FILE 16384

/**
 * ksm_conf_parse() - walk the lines of a file
 * @text: contents; may hold anything, also NUL bytes
 * @len: bytes of @text
 * @file: its name, for messages
 * @fn: gets key and value without the blanks around them; returns negative with @err set when it
 *	does not like them
 * @ctx: for @fn
 * @err: "FILE:LINE: what is wrong"; usage errors stay usage errors
 *
 * Empty lines are skipped; a '#' at the start of a line or behind a blank begins a comment.
 * Return: 0, -EINVAL for a line that is no "key = value", what @fn returned.
 */
int ksm_conf_parse(const char *text, size_t len, const char *file,
		   int (*fn)(const char *key, const char *value, void *ctx, struct ksm_error *err),
		   void *ctx, struct ksm_error *err);

#endif /* KSMKIT_CONF_H */
