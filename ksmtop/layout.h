/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where everything goes: draws one whole frame for a screen of any size.
 */
#ifndef KSMTOP_LAYOUT_H
#define KSMTOP_LAYOUT_H

#include "model.h"
#include "screen.h"
#include "ui.h"

/* Smaller screens get a message instead of a display. */
#define KSMTOP_MIN_W 60
#define KSMTOP_MIN_H 14

/**
 * layout_draw() - draw the frame
 * @ui: ui_refresh()ed for @m; its view of the table (page, hits) is brought up to date
 * @s: any size; its content is replaced
 */
void layout_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s);

/**
 * overlay_draw() - what lies over the frame in the current mode: help, or the sort menu
 */
void overlay_draw(struct ksmtop_ui *ui, struct screen *s);

/**
 * bar_draw() - the function bar, or the line that is being typed, in the lowest line
 */
void bar_draw(struct ksmtop_ui *ui, struct screen *s);

#endif /* KSMTOP_LAYOUT_H */
