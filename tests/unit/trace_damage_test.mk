# SPDX-License-Identifier: GPL-2.0
# With tables so small that a few events fill them: see tools/ksmtrace/limits.h.
UNIT_SRCS_trace_damage_test := $(addprefix small/,tests/fuzz/consume.c tools/ksmtrace/line.c \
	tools/ksmtrace/line_detail.c tools/ksmtrace/perfetto.c \
	$(wildcard tools/ksmtrace/report_*.c))

$(B)/obj/unit/small/%.o: %.c tests/unit/build.mk | $(BPF_SKELS)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -DKSMTRACE_SMALL -I. -Itests -MMD -MP -c -o $@ $<
