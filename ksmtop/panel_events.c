// SPDX-License-Identifier: GPL-2.0
/* Events as they happen, the newest in the lowest line. */
#include <stdio.h>
#include <string.h>

#include "lib/format.h"
#include "lib/trace_types.h"
#include "views.h"

#define DETAIL 47 /* column where what differs by type begins */

static enum style style_of(unsigned int type)
{
	switch (type) {
	case KSM_EVENT_MERGE:
	case KSM_EVENT_NEW_PAGE:
	case KSM_EVENT_ZERO_MERGE:
		return ST_GRAPH_MERGE;
	case KSM_EVENT_COW_BREAK:
	case KSM_EVENT_UNMERGE_RANGE:
	case KSM_EVENT_SWAPIN_COPY:
		return ST_GRAPH_COW;
	case KSM_EVENT_LOST:
	case KSM_EVENT_MERGE_FAILED:
		return ST_BAD;
	case KSM_EVENT_SCAN_START:
	case KSM_EVENT_SCAN_STOP:
	case KSM_EVENT_ADVISOR:
		return ST_GRAPH_CPU;
	}
	return ST_NORMAL;
}

/* "name=value" for a field that has a name in this type; times and addresses as people read them */
static void add_field(char *buf, size_t size, const char *name, uint64_t v)
{
	size_t len = strlen(buf), named = strlen(name);
	char text[KSM_FORMAT_MAX];

	if (!*name || len >= size)
		return;
	if (named > 3 && !strcmp(name + named - 3, "_ns")) {
		ksm_format_duration(text, sizeof(text), v);
		named -= 3;
	} else if (!strcmp(name, "bytes"))
		ksm_format_bytes(text, sizeof(text), (int64_t)v);
	else if (!strcmp(name, "address") || !strcmp(name, "start") || strstr(name, "pfn"))
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v);
	else
		snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	snprintf(buf + len, size - len, "%s%.*s=%s", len ? "  " : "", (int)named, name, text);
}

static void describe(const struct ksm_event *e, char *buf, size_t size)
{
	const struct ksm_event_desc *d = ksm_event_desc(e->type);

	*buf = '\0';
	if (!d)
		return;
	if (e->type == KSM_EVENT_COW_BREAK)
		snprintf(buf, size, "%s", e->n32 == KSM_COW_UNMERGE ? "unmerge" : "write");
	else if (e->type == KSM_EVENT_LOST)
		snprintf(buf, size, "of %s, %s", ksm_event_name(e->n32),
			 ksm_lost_cause_name(e->address));
	else
		add_field(buf, size, d->n32, e->n32);
	add_field(buf, size, d->n64, e->n64);
	if (e->type != KSM_EVENT_LOST)
		add_field(buf, size, d->address, e->address);
	add_field(buf, size, d->pfn, e->pfn);
}

void event_line(const struct ksmtop_model *m, struct screen *s, int x, int y,
		const struct ksm_event *e)
{
	const char *name = e->tgid ? process_name(m, (pid_t)e->tgid) : NULL;
	int64_t age = (int64_t)(e->time - m->now.time_ns) + (int64_t)m->now.wall * 1000000000;
	time_t wall = age / 1000000000;
	char text[160], clock[32];
	struct tm tm;

	if (!localtime_r(&wall, &tm) || !strftime(clock, sizeof(clock), "%H:%M:%S", &tm))
		clock[0] = '\0';
	snprintf(text, sizeof(text), "%s.%03d", clock, (int)(age / 1000000 % 1000));
	screen_text(s, x, y, 13, ST_DIM, text);
	screen_text(s, x + 13, y, 14, style_of(e->type), ksm_event_name(e->type));
	snprintf(text, sizeof(text), "%u", e->tgid);
	screen_right(s, x + 34, y, e->tgid ? ST_NORMAL : ST_DIM, e->tgid ? text : "-");
	screen_text(s, x + 35, y, DETAIL - 36, ST_VALUE, name ? name : "");
	describe(e, text, sizeof(text));
	screen_text(s, x + DETAIL, y, s->w - x - DETAIL, ST_NORMAL, text);
}

static bool wanted(const struct ksmtop_model *m, const struct ksmtop_ui *ui,
		   const struct ksm_event *e)
{
	const char *name;
	char pid[16];

	if (!ui->event_filter[0])
		return true;
	snprintf(pid, sizeof(pid), "%u", e->tgid);
	if (strcasestr(ksm_event_name(e->type), ui->event_filter) ||
	    (e->tgid && !strcmp(pid, ui->event_filter)))
		return true;
	name = e->tgid ? process_name(m, (pid_t)e->tgid) : NULL;
	return name && strcasestr(name, ui->event_filter);
}

/* The number behind the event in the lowest line. */
static uint64_t lowest(const struct ksmtop_model *m, const struct ksmtop_ui *ui)
{
	uint64_t end = ui->last_event ? ui->last_event : m->ev.total;

	if (end < events_oldest(&m->ev) + 1)
		end = events_oldest(&m->ev) + 1;
	return end > m->ev.total ? m->ev.total : end;
}

uint64_t events_scroll(const struct ksmtop_model *m, const struct ksmtop_ui *ui, int lines)
{
	uint64_t at = lowest(m, ui), oldest = events_oldest(&m->ev), i;

	for (i = at; lines > 0 && i > oldest + 1; i--) {
		if (!wanted(m, ui, events_get(&m->ev, i - 2)))
			continue;
		at = i - 1;
		lines--;
	}
	for (i = at; lines < 0 && i < m->ev.total; i++) {
		if (!wanted(m, ui, events_get(&m->ev, i)))
			continue;
		at = i + 1;
		lines++;
	}
	return lines < 0 || at == m->ev.total ? 0 : at;
}

static void draw_heading(const struct ksmtop_model *m, const struct ksmtop_ui *ui, struct screen *s,
			 int y)
{
	char text[96], total[KSM_FORMAT_MAX], lost[KSM_FORMAT_MAX];

	screen_fill(s, 0, y, s->w, ' ', ST_HEAD);
	screen_text(s, 1, y, 13, ST_HEAD, "TIME");
	screen_text(s, 14, y, 14, ST_HEAD, "EVENT");
	screen_right(s, 35, y, ST_HEAD, "PID");
	screen_text(s, 36, y, 11, ST_HEAD, "COMMAND");
	snprintf(text, sizeof(text), "%s%s events, %s lost ",
		 ui->last_event ? "NOT FOLLOWING: End follows - " : "",
		 ksm_format_count(total, sizeof(total), (int64_t)m->ev.total),
		 ksm_format_count(lost, sizeof(lost), (int64_t)m->ev.lost));
	screen_right(s, s->w - 1, y, ui->last_event ? ST_HEAD_SORT : ST_HEAD, text);
}

void panel_events_draw(const struct ksmtop_model *m, struct ksmtop_ui *ui, struct screen *s, int y,
		       int h)
{
	uint64_t i = lowest(m, ui), oldest = events_oldest(&m->ev);
	int line = y + h - 1;

	draw_heading(m, ui, s, y);
	ui->list[VIEW_EVENTS].page = h - 1;
	/* little fills the panel from above, much from below */
	if (m->ev.total - oldest < (uint64_t)h && !ui->event_filter[0])
		line = y + (int)(i - oldest);
	for (; i > oldest && line > y; i--) {
		const struct ksm_event *e = events_get(&m->ev, i - 1);

		if (wanted(m, ui, e))
			event_line(m, s, 1, line--, e);
	}
	if (!m->ev.total)
		screen_text(s, 2, y + 1, s->w - 2, ST_DIM, "No event yet.");
}
