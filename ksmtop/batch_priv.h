/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the formats of batch output share; included by batch*.c only.
 */
#ifndef KSMTOP_BATCH_PRIV_H
#define KSMTOP_BATCH_PRIV_H

#include <stdio.h>

#include "model.h"
#include "ui.h"

/**
 * batch_time() - when the newest sample was taken, UTC, ISO 8601
 */
void batch_time(const struct ksmtop_model *m, char *buf, size_t size);

/**
 * batch_file() - the value of one of the backend's files
 * @id: enum ksm_abi_id
 *
 * Return: @buf; "-" when there is none.
 */
const char *batch_file(const struct ksmtop_model *m, unsigned int id, char *buf, size_t size);

/* One frame in each format; see batch_frame(). */
void batch_csv(FILE *out, const struct ksmtop_model *m, const struct ksmtop_ui *ui,
	       unsigned int frame);
void batch_json(FILE *out, const struct ksmtop_model *m, const struct ksmtop_ui *ui,
		unsigned int frame);

#endif /* KSMTOP_BATCH_PRIV_H */
