/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ksmtop with 40 processes and no machine: what its tests press keys on.
 */
#ifndef KSMTOP_FIXTURE_H
#define KSMTOP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksmtop/keys.h"
#include "ksmtop/layout.h"
#include "ksmtop/meters.h"
#include "ksmtop/panel_procs.h"
#include "ksmtop/views.h"

#define NPROCS 40

struct fixture {
	struct ksmtop_proc procs[NPROCS];
	struct ksmtop_sample sample;
	struct ksmtop_model model;
	struct ksmtop_ui ui;
	struct screen screen;
};

static inline struct ksmtop_count count(uint64_t v)
{
	return (struct ksmtop_count){ .have = true, .v = v };
}

/* pid 101 saves most, 140 least; its zero pages go the other way; names are of three kinds. */
static inline void fill(struct fixture *f)
{
	static const char *const names[] = { "alpha", "beta", "gamma" };

	for (int i = 0; i < NPROCS; i++) {
		struct ksmtop_proc *p = &f->procs[i];

		*p = (struct ksmtop_proc){ .pid = 101 + i, .start = 1 };
		snprintf(p->command, sizeof(p->command), "%s", names[i % 3]);
		snprintf(p->user, sizeof(p->user), "u%d", i % 2);
		p->merging = count((uint64_t)(NPROCS - i) * 100);
		p->zero = count((uint64_t)i);
		p->rmap_items = count(50);
		p->breaks = count(0);
	}
	f->sample = (struct ksmtop_sample){
		.time_ns = 1, .page_size = 4096, .alive = true, .procs = f->procs, .nprocs = NPROCS
	};
	f->sample.counters.present =
		UINT64_C(1) << KSM_ABI_PAGES_SHARED | UINT64_C(1) << KSM_ABI_PAGES_SHARING;
	f->sample.counters.value[KSM_ABI_PAGES_SHARED] = 100;
	f->sample.counters.value[KSM_ABI_PAGES_SHARING] = 1000;
}

static inline void show(struct fixture *f)
{
	assert_true(ui_refresh(&f->ui, &f->model));
	layout_draw(&f->model, &f->ui, &f->screen);
}

static inline int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	fill(&f);
	f.ui.sort = column_find("saved");
	f.ui.nmeters = meters_standard(f.ui.meters);
	f.screen.utf8 = true;
	assert_true(screen_resize(&f.screen, 80, 24));
	assert_true(model_update(&f.model, &f.sample));
	show(&f);
	*state = &f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	screen_free(&f->screen);
	ui_free(&f->ui);
	model_free(&f->model);
	return 0;
}

static inline void press(struct fixture *f, int code)
{
	keys_press(&f->ui, &f->model, (struct ksmtop_key){ .code = code });
	layout_draw(&f->model, &f->ui, &f->screen);
}

static inline void type(struct fixture *f, const char *text)
{
	while (*text)
		press(f, *text++);
}

static inline void mouse(struct fixture *f, int code, int x, int y)
{
	keys_press(&f->ui, &f->model, (struct ksmtop_key){ .code = code, .x = x, .y = y });
	layout_draw(&f->model, &f->ui, &f->screen);
}

static inline pid_t at(const struct fixture *f, int i)
{
	return f->ui.shown[i]->p.pid;
}

static inline pid_t under_cursor(const struct fixture *f)
{
	return at(f, f->ui.cursor);
}

static inline void knob(struct fixture *f, unsigned int id, int64_t v)
{
	f->model.now.counters.present |= UINT64_C(1) << id;
	f->model.now.counters.value[id] = v;
}

static inline void give(struct fixture *f, unsigned int type, uint32_t tgid)
{
	struct ksm_event e = { .time = 1, .type = (uint16_t)type, .tgid = tgid };

	events_take(&f->model.ev, &e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* KSMTOP_FIXTURE_H */
