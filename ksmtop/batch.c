// SPDX-License-Identifier: GPL-2.0
#include "batch.h"
#include "batch_priv.h"

#include <errno.h>
#include <string.h>

#include "lib/format.h"
#include "panel_procs.h"

void batch_time(const struct ksmtop_model *m, char *buf, size_t size)
{
	struct tm tm;

	if (!gmtime_r(&m->now.wall, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(buf, size, "?");
}

const char *batch_file(const struct ksmtop_model *m, unsigned int id, char *buf, size_t size)
{
	if (m->state != KSMTOP_GONE && ksm_snapshot_has(&m->now.counters, id))
		snprintf(buf, size, "%lld", (long long)ksm_snapshot_get(&m->now.counters, id));
	else
		snprintf(buf, size, "-");
	return buf;
}

static const char *rate_text(struct ksmtop_num n, const char *unit, char *buf, size_t size)
{
	if (n.have)
		snprintf(buf, size, "%.1f%s", n.v, unit);
	else
		snprintf(buf, size, "-");
	return buf;
}

static const char *total_text(struct ksmtop_count c, char *buf, size_t size)
{
	if (c.have)
		snprintf(buf, size, "%llu", (unsigned long long)c.v);
	else
		snprintf(buf, size, "-");
	return buf;
}

static void text_pages(FILE *out, const struct ksmtop_model *m)
{
	static const struct {
		const char *name;
		unsigned int id;
	} files[] = {
		{ "shared", KSM_ABI_PAGES_SHARED },	{ "sharing", KSM_ABI_PAGES_SHARING },
		{ "unshared", KSM_ABI_PAGES_UNSHARED }, { "volatile", KSM_ABI_PAGES_VOLATILE },
		{ "zero", KSM_ABI_KSM_ZERO_PAGES },
	};
	char n[32];

	fputs("pages  ", out);
	for (size_t i = 0; i < KSM_ARRAY_SIZE(files); i++)
		fprintf(out, "  %s %s", files[i].name, batch_file(m, files[i].id, n, sizeof(n)));
	fputc('\n', out);
}

static void text_header(FILE *out, const struct ksmtop_model *m, unsigned int frame)
{
	char a[32], b[32], c[32];
	bool gone = m->state == KSMTOP_GONE;

	batch_time(m, a, sizeof(a));
	fprintf(out, "ksmtop   frame %u  %s  backend %s  kernel %s  %s\n", frame, a, m->now.backend,
		m->now.kernel, model_state_name(m->state));
	fprintf(out, "saved    %s  net %s  metadata %s\n",
		gone ? "-" : ksm_format_bytes(a, sizeof(a), m->derived.saved_bytes),
		gone ? "-" : ksm_format_bytes(b, sizeof(b), m->derived.profit_bytes),
		gone ? "-" : ksm_format_bytes(c, sizeof(c), m->derived.metadata_bytes));
	text_pages(out, m);
	fprintf(out, "scanner  cpu %s", rate_text(m->cpu, "%", a, sizeof(a)));
	fprintf(out, "  scanned %s  full scans %s\n", rate_text(m->scan_rate, "/s", a, sizeof(a)),
		batch_file(m, KSM_ABI_FULL_SCANS, b, sizeof(b)));
	fprintf(out, "events   merges %s (%s)", rate_text(m->merge_rate, "/s", a, sizeof(a)),
		total_text(m->now.merges, b, sizeof(b)));
	fprintf(out, "  cow breaks %s (%s)", rate_text(m->break_rate, "/s", a, sizeof(a)),
		total_text(m->now.breaks, b, sizeof(b)));
	fprintf(out, "  lost %s\n", total_text(m->now.lost, c, sizeof(c)));
	for (int i = 0; i < m->now.nnotes; i++)
		fprintf(out, "note     %s\n", m->now.notes[i]);
}

static void text_cell(FILE *out, const struct ksmtop_column *c, const char *text)
{
	if (!c->width)
		fprintf(out, "  %s", text);
	else if (c->text)
		fprintf(out, "  %-*.*s", c->width + c->roomy, c->width + c->roomy, text);
	else
		fprintf(out, " %*s", c->width, text);
}

static void text_rows(FILE *out, const struct ksmtop_ui *ui)
{
	char raw[80], safe[256];

	for (int i = 0; i < ksmtop_ncolumns; i++)
		if (!column_is_bar(&ksmtop_columns[i]))
			text_cell(out, &ksmtop_columns[i], ksmtop_columns[i].title);
	fputc('\n', out);
	for (size_t r = 0; r < ui->nshown; r++) {
		for (int i = 0; i < ksmtop_ncolumns; i++) {
			const struct ksmtop_column *c = &ksmtop_columns[i];

			if (column_is_bar(c))
				continue;
			column_text(c, ui->shown[r], raw, sizeof(raw));
			text_cell(out, c, ksm_format_safe(safe, sizeof(safe), raw));
		}
		fputc('\n', out);
	}
}

static void text_frame(FILE *out, const struct ksmtop_model *m, const struct ksmtop_ui *ui,
		       unsigned int frame)
{
	if (frame > 1)
		fputc('\n', out);
	text_header(out, m, frame);
	fputc('\n', out);
	text_rows(out, ui);
}

int batch_frame(FILE *out, enum batch_format format, const struct ksmtop_model *m,
		const struct ksmtop_ui *ui, unsigned int frame)
{
	switch (format) {
	case BATCH_TEXT:
		text_frame(out, m, ui, frame);
		break;
	case BATCH_CSV:
		batch_csv(out, m, ui, frame);
		break;
	case BATCH_JSON:
		batch_json(out, m, ui, frame);
		break;
	}
	return fflush(out) || ferror(out) ? -EIO : 0;
}
