# SPDX-License-Identifier: GPL-2.0
# ksmtop, and the program that renders its screen for the golden tests. Included after
# tools/build.mk, which says what LIB and LDLIBS_TOOLS are.

KSMTOP_SRCS := $(wildcard ksmtop/*.c)
KSMTOP_OBJS := $(KSMTOP_SRCS:%.c=$(B)/obj/%.o)
LDLIBS_KSMTOP := $(LDLIBS_TOOLS) -lncursesw -ltinfo

# What draws: it knows neither the machine nor the terminal.
KSMTOP_PURE := $(filter-out ksmtop/main.c ksmtop/term.c ksmtop/sampler.c ksmtop/batch%,$(KSMTOP_SRCS))
KSMTOP_PURE_LIB := tools/lib/format.c tools/lib/util.c tools/lib/backend_derive.c

$(B)/obj/ksmtop/%.o: ksmtop/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/bin/ksmtop: $(KSMTOP_OBJS) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(KSMTOP_OBJS) $(LIB) $(LDLIBS_KSMTOP)

# With the sanitizers: the golden screens are also its memory test.
$(B)/test/ksmtop_render: tests/golden/ksmtop_render.c $(KSMTOP_PURE) $(KSMTOP_PURE_LIB) \
		$(wildcard ksmtop/*.h tools/lib/*.h include/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -o $@ \
		$(filter %.c,$^)

-include $(KSMTOP_OBJS:.o=.d)
