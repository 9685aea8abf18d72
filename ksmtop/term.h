/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The terminal. Nothing else in ksmtop knows that there is one.
 */
#ifndef KSMTOP_TERM_H
#define KSMTOP_TERM_H

#include <stdbool.h>
#include <stddef.h>

#include "screen.h"
#include "ui.h"

/**
 * term_open() - take the terminal over
 * @err: the one line when it cannot be had
 *
 * From here on it is given back whatever ends the process: term_close(), SIGTERM, SIGINT, SIGHUP
 * (see term_signal()) or a crash.
 *
 * Return: false with @err set; the terminal is then untouched.
 */
bool term_open(char *err, size_t size);

/**
 * term_close() - give the terminal back
 */
void term_close(void);

/**
 * term_utf8() - can it show Unicode? True for a UTF-8 locale.
 */
bool term_utf8(void);

/**
 * term_size() - columns and lines as they are now
 */
void term_size(int *w, int *h);

/**
 * term_draw() - show a screen
 * @whole: repaint everything, whatever the terminal is thought to show
 */
void term_draw(const struct screen *s, bool whole);

/**
 * term_wait() - wait for a key, a resize or a signal
 * @timeout_ms: at most so long
 *
 * Return: false when the terminal is gone.
 */
bool term_wait(int timeout_ms);

/**
 * term_key() - take the next key
 * @resized: set when the size changed meanwhile
 *
 * Return: false when none is waiting.
 */
bool term_key(struct ksmtop_key *key, bool *resized);

/**
 * term_signal() - the signal that asked us to end, 0 when none did
 */
int term_signal(void);

#endif /* KSMTOP_TERM_H */
