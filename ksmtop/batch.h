/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames without a terminal: text for people and logs, CSV and JSON for programs.
 */
#ifndef KSMTOP_BATCH_H
#define KSMTOP_BATCH_H

#include <stdio.h>

#include "model.h"
#include "ui.h"

enum batch_format {
	BATCH_TEXT,
	BATCH_CSV,
	BATCH_JSON,
};

/**
 * batch_frame() - write one frame
 * @ui: ui_refresh()ed for @m: which rows, in which order
 * @frame: counts from 1
 *
 * Text is a block per frame. CSV is a heading before the first frame, then a line for the host and
 * one per process. JSON is one object per line. What is not known is "-" in text, empty in CSV and
 * null in JSON.
 *
 * Return: 0, or -EIO when @out failed.
 */
int batch_frame(FILE *out, enum batch_format format, const struct ksmtop_model *m,
		const struct ksmtop_ui *ui, unsigned int frame);

#endif /* KSMTOP_BATCH_H */
