/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The header's instruments, each a const descriptor. A layout says where they go.
 */
#ifndef KSMTOP_METERS_H
#define KSMTOP_METERS_H

#include "model.h"
#include "screen.h"

struct rect {
	int x, y, w, h;
};

/**
 * struct ksmtop_meter - one instrument
 * @id: name of it
 * @title: label on the screen
 * @help: what it shows, for the help screen
 * @style: of its value and graph
 * @value: its value as text
 * @detail: more, shown where there is room; may be NULL
 * @history: where in struct ksmtop_model its history is; 0 for a meter that is no graph
 * @extra: a graph that is shown on wide screens only
 * @standard: shown unless the user chose otherwise
 * @least: smallest full scale of its graph, so that idle noise does not look like work
 * @duration: its history is in nanoseconds
 * @draw: draws it into a rectangle
 */
struct ksmtop_meter {
	const char *id;
	const char *title;
	const char *help;
	enum style style;
	void (*value)(const struct ksmtop_model *m, char *buf, size_t size);
	void (*detail)(const struct ksmtop_model *m, char *buf, size_t size);
	size_t history;
	float least;
	bool extra;
	bool standard;
	bool duration;
	void (*draw)(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		     struct screen *s, struct rect r);
};

/**
 * struct ksmtop_kind - one kind of tracked page, as the bar and its legend show it
 *
 * Kinds are told apart by shade as well as by colour.
 */
struct ksmtop_kind {
	const char *name;
	const char *help;
	uint32_t glyph;
	enum style style;
	unsigned int id;
};

#define KSMTOP_KINDS 4

extern const struct ksmtop_kind ksmtop_kinds[KSMTOP_KINDS];
extern const struct ksmtop_meter ksmtop_meters[];
extern const int ksmtop_nmeters;

/* The shapes: struct ksmtop_meter.draw. A graph in three or more lines has a frame. */
void meter_draw_graph(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		      struct screen *s, struct rect r);
void meter_draw_text(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		     struct screen *s, struct rect r);
void meter_draw_saved(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		      struct screen *s, struct rect r);
void meter_draw_pages(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		      struct screen *s, struct rect r);
void meter_draw_pass(const struct ksmtop_meter *meter, const struct ksmtop_model *m,
		     struct screen *s, struct rect r);

/**
 * meter_find() - a meter by its id
 *
 * Return: its index, or -1.
 */
int meter_find(const char *id);

/**
 * meters_standard() - the meters of somebody who has not chosen any
 * @meters: room for KSMTOP_METERS
 *
 * Return: how many.
 */
int meters_standard(int *meters);

#endif /* KSMTOP_METERS_H */
