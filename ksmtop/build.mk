# SPDX-License-Identifier: GPL-2.0
# ksmtop, and the program that renders its screen for the golden tests. Included after
# tools/build.mk, which says what LIB and LDLIBS_TOOLS are.

KSMTOP_SRCS := $(wildcard ksmtop/*.c)
KSMTOP_OBJS := $(KSMTOP_SRCS:%.c=$(B)/obj/%.o)
LDLIBS_KSMTOP := $(LDLIBS_TOOLS) -lncursesw -ltinfo -lpthread

# What draws: it knows neither the machine nor the terminal.
KSMTOP_PURE := $(addprefix ksmtop/,bar.c cells.c events.c keys.c keys_modes.c layout.c meters.c \
	meters_draw.c model.c overlay.c palette.c panel_detail.c panel_events.c panel_groups.c \
	panel_procs.c panel_sharing.c panel_tuning.c replay_state.c screen.c tree.c ui.c views.c)

$(B)/obj/ksmtop/%.o: ksmtop/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/bin/ksmtop: $(KSMTOP_OBJS) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(KSMTOP_OBJS) $(LIB) $(LDLIBS_KSMTOP)

# With the sanitizers: the golden screens are also its memory test.
$(B)/test/ksmtop_render: tests/golden/ksmtop_render.c $(KSMTOP_PURE) ksmtop/replay.c \
		$(wildcard ksmtop/*.h include/*.h) $(B)/test/unit-lib.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -o $@ \
		$(filter %.c %.a,$^) $(LDLIBS_BPF) -ljson-c -lpthread

-include $(KSMTOP_OBJS:.o=.d)
