// SPDX-License-Identifier: GPL-2.0
/*
 * Renders ksmtop's screen for fixed samples, as text:
 *
 *	ksmtop_render SCENE COLUMNSxLINES utf8|ascii [KEYS]
 *
 * KEYS are pressed after the last sample; some stand for others, see key().
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "../../ksmtop/keys.h"
#include "../../ksmtop/layout.h"
#include "../../ksmtop/panel_procs.h"

#define MIB 256 /* pages, of 4 KiB */

static struct ksmtop_proc procs[64];

static struct ksmtop_count count(uint64_t v)
{
	return (struct ksmtop_count){ .have = true, .v = v };
}

static void set(struct ksmtop_sample *s, unsigned int id, int64_t v)
{
	s->counters.present |= UINT64_C(1) << id;
	s->counters.value[id] = v;
}

static struct ksmtop_proc *add(struct ksmtop_sample *s, pid_t pid, const char *user,
			       const char *command, uint64_t merging, uint64_t items)
{
	struct ksmtop_proc *p = &procs[s->nprocs++];

	*p = (struct ksmtop_proc){ .pid = pid, .start = (uint64_t)pid * 1000 };
	snprintf(p->user, sizeof(p->user), "%s", user);
	snprintf(p->command, sizeof(p->command), "%s", command);
	p->merging = count(merging);
	p->rmap_items = count(items);
	p->zero = count(0);
	p->breaks = count(0);
	return p;
}

static void note(struct ksmtop_sample *s, const char *text)
{
	snprintf(s->notes[s->nnotes++], KSMTOP_NOTE_LEN, "%s", text);
}

/* What every scene has: second @i of a running in-tree KSM. */
static void base(struct ksmtop_sample *s, unsigned int i)
{
	*s = (struct ksmtop_sample){ .time_ns = (i + 1) * UINT64_C(1000000000),
				     .wall = 1795364096 + i,
				     .page_size = 4096,
				     .alive = true,
				     .procs = procs };
	strcpy(s->backend, "kernel");
	strcpy(s->kernel, "6.12.95+deb12-amd64");
	set(s, KSM_ABI_RUN, 1);
	set(s, KSM_ABI_PAGES_TO_SCAN, 1000);
	set(s, KSM_ABI_SLEEP_MILLISECS, 20);
	set(s, KSM_ABI_FULL_SCANS, 30 + i / 8);
	set(s, KSM_ABI_PAGES_SCANNED, 1000000 + i * 41234);
	s->scanner_ns = count(i * UINT64_C(180000000) + (i % 7) * 23000000);
}

static void busy(struct ksmtop_sample *s, unsigned int i)
{
	uint64_t wave = i % 24 < 12 ? i % 24 : 24 - i % 24;

	base(s, i);
	set(s, KSM_ABI_PAGES_SHARED, 20 * MIB);
	set(s, KSM_ABI_PAGES_SHARING, 1300 * MIB + i * 100);
	set(s, KSM_ABI_PAGES_UNSHARED, 900 * MIB - i * 100);
	set(s, KSM_ABI_PAGES_VOLATILE, 160 * MIB);
	set(s, KSM_ABI_KSM_ZERO_PAGES, 5 * MIB);
	set(s, KSM_ABI_GENERAL_PROFIT, INT64_C(1280) << 20);
	s->merges = count(300000 + (i * i * 7) % 900 + i * 900);
	s->breaks = count(5000 + i * 60 + wave * wave * 4);
	s->lost = count(0);
	for (int p = 0; p < 9; p++) {
		static const char *const names[] = { "qemu-system-x86", "firefox", "java" };
		static const char *const users[] = { "libvirt-qemu", "ada", "jenkins" };
		struct ksmtop_proc *row;

		row = add(s, 1201 + p * 417, users[p / 3], names[p / 3],
			  (uint64_t)(420 - p * 43) * MIB, (uint64_t)(700 - p * 51) * MIB);
		row->zero = count((uint64_t)(p % 3) * 640);
		row->breaks = count((uint64_t)p * 11 * i);
	}
}

/* Nothing mergeable; no privilege for hooks; an old kernel. */
static void quiet(struct ksmtop_sample *s, unsigned int i)
{
	base(s, i);
	strcpy(s->kernel, "6.1.0-30-amd64");
	s->counters.present &= ~(UINT64_C(1) << KSM_ABI_PAGES_SCANNED);
	set(s, KSM_ABI_RUN, 0);
	set(s, KSM_ABI_PAGES_SHARED, 0);
	set(s, KSM_ABI_PAGES_SHARING, 0);
	set(s, KSM_ABI_PAGES_UNSHARED, 0);
	set(s, KSM_ABI_PAGES_VOLATILE, 0);
	s->scanner_ns.have = false;
	note(s, "merges, COW breaks: no hook: BPF is not permitted (run as root)");
	note(s, "pages scanned: this kernel does not count them");
	note(s, "scanner CPU: no thread ksmd is visible here");
}

/* Names that must not reach a terminal as they are. */
static void hostile(struct ksmtop_sample *s, unsigned int i)
{
	busy(s, i);
	s->nprocs = 0;
	add(s, 7, "root", "\033[2Jclear\a", 9000, 9000);
	add(s, 8, "root", "日本語の名前", 8000, 9000);
	add(s, 9, "root", "bad\xff\xc3utf8\xe2\x82", 7000, 9000);
	add(s, 10, "root", "e\u0301 combining, \u202ebidi", 6000, 9000);
	add(s, 11, "root", "line\nbreak\ttab", 5000, 9000)->breaks.have = false;
	procs[4].zero.have = procs[4].rmap_items.have = false;
}

/* The module was unloaded half-way. */
static void gone(struct ksmtop_sample *s, unsigned int i)
{
	busy(s, i);
	strcpy(s->backend, "engine");
	if (i < 30)
		return;
	s->alive = false;
	s->counters = (struct ksm_counters_snapshot){ 0 };
	s->nprocs = 0;
	note(s, "engine: the backend is gone (module unloaded?); waiting for it");
}

static const struct {
	const char *name;
	void (*make)(struct ksmtop_sample *s, unsigned int i);
} scenes[] = {
	{ "busy", busy },
	{ "quiet", quiet },
	{ "hostile", hostile },
	{ "gone", gone },
};

static int key(char c)
{
	switch (c) {
	case '^':
		return KT_UP;
	case 'v':
		return KT_DOWN;
	case '$':
		return KT_ENTER;
	case '!':
		return KT_ESC;
	case '_':
		return ' ';
	case '6':
		return KT_F(6);
	}
	return c;
}

static void feed(struct ksmtop_model *m, void (*make)(struct ksmtop_sample *, unsigned int))
{
	for (unsigned int i = 0; i < 200; i++) {
		struct ksmtop_sample s;

		make(&s, i);
		if (!model_update(m, &s))
			abort();
	}
}

int main(int argc, char **argv)
{
	struct ksmtop_model m = { 0 };
	struct ksmtop_ui ui = { .sort = column_find("saved") };
	struct screen s = { 0 };
	int w, h;

	if (argc < 4 || sscanf(argv[2], "%dx%d", &w, &h) != 2)
		return 2;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	s.utf8 = !strcmp(argv[3], "utf8");
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		if (!strcmp(scenes[i].name, argv[1]))
			feed(&m, scenes[i].make);
	if (!m.samples || !screen_resize(&s, w, h) || !ui_refresh(&ui, &m))
		return 2;
	layout_draw(&m, &ui, &s);
	for (const char *k = argc > 4 ? argv[4] : ""; *k; k++) {
		keys_press(&ui, &m, (struct ksmtop_key){ .code = key(*k) });
		layout_draw(&m, &ui, &s);
	}
	screen_dump(&s, stdout);
	screen_free(&s);
	ui_free(&ui);
	model_free(&m);
	return 0;
}
