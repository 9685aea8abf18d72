/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the lower part of the screen can show: one entry a view.
 */
#ifndef KSMTOP_VIEWS_H
#define KSMTOP_VIEWS_H

#include "ui.h"

/**
 * struct ksmtop_view - one view
 * @title: as its tab says
 * @help: what it shows, for the help screen
 * @draw: draws it into the lines from @y on, @h of them; notes what can be clicked
 * @count: rows of its list, by which its cursor is kept in range; NULL where it has no such list
 */
struct ksmtop_view {
	const char *title;
	const char *help;
	void (*draw)(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		     int h);
	int (*count)(const struct ksmtop_model *m, const struct ksmtop_ui *ui);
};

extern const struct ksmtop_view ksmtop_views[VIEW_COUNT];

/* What the panels offer to keys.c. */

/* Knobs of the tuning view: those that can be set and that this kernel has. */
int tuning_count(const struct ksmtop_model *m, const struct ksmtop_ui *ui);
const struct ksm_knob *tuning_knob(const struct ksmtop_model *m, int i);

/* A knob's value as it would be written. */
void tuning_value(const struct ksmtop_model *m, const struct ksm_knob *knob, char *buf,
		  size_t size);

/**
 * tuning_step() - the value next to the present one
 * @up: 1 or -1
 * @buf: as it would be written; as it is when there is none
 */
void tuning_step(const struct ksmtop_model *m, const struct ksm_knob *knob, int up, char *buf,
		 size_t size);

/* What it means, one line. */
const char *tuning_help(unsigned int id);

/* The filtered row of the list of groups. */
const struct ksmtop_group_row *groups_row(const struct ksmtop_model *m, const struct ksmtop_ui *ui,
					  int i);
const char *group_name(const struct ksmtop_group_row *g);

/* The number of the event that is @lines lines further up (or down, when negative), as filtered. */
uint64_t events_scroll(const struct ksmtop_model *m, const struct ksmtop_ui *ui, int lines);

/* "qemu-system-x86", or NULL: what a process is called, by the rows or by its events. */
const char *process_name(const struct ksmtop_model *m, pid_t pid);

/* One event as the lists show it, from column @x on. */
void event_line(const struct ksmtop_model *m, struct screen *s, int x, int y,
		const struct ksm_event *e);

void panel_groups_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		       int h);
int panel_groups_count(const struct ksmtop_model *m, const struct ksmtop_ui *ui);
void panel_events_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		       int h);
void panel_sharing_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
			int h);
int panel_sharing_count(const struct ksmtop_model *m, const struct ksmtop_ui *ui);
void panel_tuning_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		       int h);
void panel_detail_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		       int h);
int panel_detail_count(const struct ksmtop_model *m, const struct ksmtop_ui *ui);

#endif /* KSMTOP_VIEWS_H */
