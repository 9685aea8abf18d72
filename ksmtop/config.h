/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user chose with F2, kept in $XDG_CONFIG_HOME/ksmkit/ksmtop.conf.
 */
#ifndef KSMTOP_CONFIG_H
#define KSMTOP_CONFIG_H

#include "lib/util.h"
#include "ui.h"

/**
 * config_load() - take over what was saved
 * @ui: gets the meters; the standard ones when nothing was saved
 * @err: the one line when the file is there but not right
 *
 * Return: 0 or negative errno; @ui is fit for use in any case.
 */
int config_load(struct ksmtop_ui *ui, struct ksm_error *err);

/**
 * config_save() - save
 * @path: where, for a message
 *
 * Return: 0 or negative errno with @err set.
 */
int config_save(const struct ksmtop_ui *ui, char *path, size_t size, struct ksm_error *err);

#endif /* KSMTOP_CONFIG_H */
