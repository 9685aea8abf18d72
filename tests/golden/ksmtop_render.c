// SPDX-License-Identifier: GPL-2.0
/*
 * Renders ksmtop's screen for fixed samples, as text:
 *
 *	ksmtop_render SCENE COLUMNSxLINES utf8|ascii[,colour|,mono] [KEYS]
 *
 * SCENE is one of scenes[], or replay:DIR[@SECONDS]: a recording, a frame a second up to its
 * end, or so far.
 * KEYS are pressed after the last sample; some stand for others, see key(). With "colour" or "mono"
 * the screen comes with escape sequences.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "../../ksmtop/keys.h"
#include "../../ksmtop/layout.h"
#include "../../ksmtop/meters.h"
#include "../../ksmtop/palette.h"
#include "../../ksmtop/panel_procs.h"
#include "../../ksmtop/replay.h"

#define MIB 256 /* pages, of 4 KiB */

static struct ksmtop_proc procs[64];
static const struct ksmtop_group groups[] = {
	{ 0, KSMTOP_GROUP_VM, "web-1" },
	{ 1, KSMTOP_GROUP_OTHER, "user.slice" },
	{ 2, KSMTOP_GROUP_CONTAINER, "docker:4f1c2d3e5a6b" },
};

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
	s->mem_available = count(UINT64_C(3355443200));
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
	s->have_latency = true;
	s->latency.n[80] = i * 40;
	s->latency.n[91] = i * 30;
	s->latency.n[114] = i;
	for (int p = 0; p < 9; p++) {
		static const char *const names[] = { "qemu-system-x86", "firefox", "java" };
		static const char *const users[] = { "libvirt-qemu", "ada", "jenkins" };
		struct ksmtop_proc *row;

		row = add(s, 1201 + p * 417, users[p / 3], names[p / 3],
			  (uint64_t)(420 - p * 43) * MIB, (uint64_t)(700 - p * 51) * MIB);
		row->zero = count((uint64_t)(p % 3) * 640);
		row->breaks = count((uint64_t)p * 11 * i);
		row->cow_ns = count((uint64_t)p * 11 * i * 40000);
		row->group = &groups[p / 3];
		row->mergeable = count((uint64_t)(800 - p * 50) * MIB * 4096);
		row->ppid = p % 3 ? 1201 + (p - 1) * 417 : 1;
		row->have_opt = true;
		row->opt = p < 3 ? KSMTOP_OPT_MADVISE : KSMTOP_OPT_PRCTL;
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

/* What a stream would have given in the last seconds. */
static void give_events(struct ksmtop_events *ev)
{
	struct ksm_event e = { .tgid = 1201, .mm = 1 };

	for (unsigned int i = 0; i < 60; i++) {
		e.time = UINT64_C(199000000000) + i * UINT64_C(16000000);
		e.type = i % 5 ? KSM_EVENT_MERGE : KSM_EVENT_COW_BREAK;
		e.tgid = 1201 + i % 3 * 417;
		e.address = 0x7f0000000000 + i * 4096;
		e.pfn = 0x12340 + i / 2;
		e.n64 = i % 5 ? 0 : 900 + i * i * 10;
		events_watch(ev, 1618);
		events_take(ev, &e);
	}
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
	case '&':
		return KT_F(6);
	case '%':
		return KT_F(5);
	case '@':
		return KT_F(2);
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

static int on_event(void *ctx, const struct ksm_event *e)
{
	return events_take(ctx, e);
}

/* @what: DIR or DIR@SECONDS: only so far */
static void replay(struct ksmtop_model *m, struct ksmtop_ui *ui, char *what)
{
	const char *dir = strsep(&what, "@");
	struct ksm_error err = { 0 };
	struct replay *r = replay_open(dir, &err);
	static struct ksmtop_group kept[64];
	struct ksmtop_sample s;

	if (!r) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	ui->replay = (struct ui_replay){ true, false, replay_from(r), replay_to(r), 0, 1 };
	for (uint64_t at = ui->replay.from; !ui->replay.done; at += 1000000000) {
		if (what && at > ui->replay.from + strtoull(what, NULL, 10) * 1000000000)
			break;
		ui->replay.at = at < ui->replay.to ? at : ui->replay.to;
		ui->replay.done = !replay_forward(r, ui->replay.at, on_event, &m->ev) ||
				  ui->replay.at == ui->replay.to;
		replay_sample(r, ui->replay.at, &s);
		if (!model_update(m, &s))
			abort();
	}
	/* the groups' names go with the replay */
	for (size_t i = 0; i < m->nrows; i++) {
		const struct ksmtop_group **g = &m->rows[i].p.group;

		if (!*g)
			continue;
		kept[(*g)->index % 64] = **g;
		*g = &kept[(*g)->index % 64];
	}
	for (size_t i = 0; i < m->ngroups; i++)
		if (m->groups[i].group)
			m->groups[i].group = &kept[m->groups[i].group->index % 64];
	replay_close(r);
}

/* As the terminal gets it: a sequence where the style changes, the line's end in its own. */
static void dump_styled(const struct screen *s, bool colour)
{
	char text[5], sgr[48];

	for (int y = 0; y < s->h; y++) {
		int style = -1;

		for (int x = 0; x < s->w; x++) {
			const struct cell *c = &s->cells[y * s->w + x];

			if (c->style != style)
				fputs(palette_sgr(c->style, colour, sgr, sizeof(sgr)), stdout);
			style = c->style;
			screen_utf8_encode(c->ch ? c->ch : ' ', text);
			if (c->ch)
				fputs(text, stdout);
		}
		puts("\033[0m");
	}
}

static void press_all(struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s,
		      const char *keys)
{
	layout_draw(m, ui, s);
	for (; *keys; keys++) {
		keys_press(ui, m, (struct ksmtop_key){ .code = key(*keys) });
		layout_draw(m, ui, s);
	}
}

int main(int argc, char **argv)
{
	static struct ksmtop_model m;
	static struct ksmtop_ui ui;
	struct screen s = { 0 };
	int w, h;

	if (argc < 4 || sscanf(argv[2], "%dx%d", &w, &h) != 2)
		return 2;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	s.utf8 = !strncmp(argv[3], "utf8", 4);
	ui.sort = column_find("saved");
	ui.nmeters = meters_standard(ui.meters);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		if (!strcmp(scenes[i].name, argv[1])) {
			feed(&m, scenes[i].make);
			give_events(&m.ev);
		}
	if (!strncmp(argv[1], "replay:", 7))
		replay(&m, &ui, argv[1] + 7);
	if (!m.samples || !screen_resize(&s, w, h) || !ui_refresh(&ui, &m))
		return 2;
	press_all(&m, &ui, &s, argc > 4 ? argv[4] : "");
	if (strstr(argv[3], ",colour") || strstr(argv[3], ",mono"))
		dump_styled(&s, strstr(argv[3], ",colour"));
	else
		screen_dump(&s, stdout);
	screen_free(&s);
	ui_free(&ui);
	model_free(&m);
	return 0;
}
