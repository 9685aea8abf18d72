# SPDX-License-Identifier: GPL-2.0
# Unit tests: every tests/unit/NAME.c that ends in _test.c is one cmocka program, build/test/NAME,
# built with ASan and UBSan together with all code under test.
#
# core_*_test.c link the engine's core over tests/shim; all others link tools/lib. A test that needs
# more sources names them, relative to the top, in tests/unit/NAME.mk:
#	UNIT_SRCS_NAME := ksmtop/model.c
#	UNIT_LDLIBS_NAME := -lncursesw

UNIT_NAMES := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*_test.c))
UNIT_CORE := $(filter core_%,$(UNIT_NAMES))
UNIT_LIB := $(filter-out core_%,$(UNIT_NAMES))
UNIT_BINS := $(UNIT_NAMES:%=$(B)/test/%)
UNIT_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_CFLAGS = $(CFLAGS) -O1 $(UNIT_SANITIZE)

-include $(wildcard tests/unit/*_test.mk)

# The core sees tests/shim and no other header: -nostdinc proves it.
CORE_CFLAGS = -std=gnu11 -O1 -g $(WARNINGS) -Wno-missing-field-initializers -ffreestanding \
	-nostdinc -Itests/shim $(UNIT_SANITIZE)
SHIM_CFLAGS = $(UNIT_CFLAGS) -Itests/shim -Ikmod/core
UNIT_CORE_OBJS := $(patsubst %.c,$(B)/obj/unit/%.o,$(wildcard kmod/core/*.c tests/shim/*.c))
UNIT_LIB_OBJS := $(patsubst %.c,$(B)/obj/unit/%.o,$(wildcard tools/lib/*.c))
unit_objs = $(patsubst %.c,$(B)/obj/unit/%.o,tests/unit/$(1).c $(UNIT_SRCS_$(1)))
UNIT_ALL_OBJS := $(UNIT_CORE_OBJS) $(UNIT_LIB_OBJS) \
	$(sort $(foreach name,$(UNIT_NAMES),$(call unit_objs,$(name))))

$(B)/obj/unit/kmod/core/%.o: kmod/core/%.c tests/unit/build.mk
	@mkdir -p $(@D)
	$(CC) $(CORE_CFLAGS) $(UNIT_EXTRA) -MMD -MP -c -o $@ $<

$(B)/obj/unit/tests/shim/%.o: tests/shim/%.c tests/unit/build.mk
	@mkdir -p $(@D)
	$(CC) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/unit/tests/unit/core_%.o: tests/unit/core_%.c tests/unit/build.mk
	@mkdir -p $(@D)
	$(CC) $(SHIM_CFLAGS) -Itests -MMD -MP -c -o $@ $<

$(B)/obj/unit/%.o: %.c tests/unit/build.mk | $(BPF_SKELS)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -I. -Itests -MMD -MP -c -o $@ $<

$(B)/test/unit-core.a: $(UNIT_CORE_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $(UNIT_CORE_OBJS)

$(B)/test/unit-lib.a: $(UNIT_LIB_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $(UNIT_LIB_OBJS)

.SECONDEXPANSION:
$(UNIT_CORE:%=$(B)/test/%): $(B)/test/%: $$(call unit_objs,$$*) $(B)/test/unit-core.a
	$(CC) $(UNIT_CFLAGS) $(UNIT_EXTRA) -o $@ $^ -lcmocka $(UNIT_LDLIBS_$*)

$(UNIT_LIB:%=$(B)/test/%): $(B)/test/%: $$(call unit_objs,$$*) $(B)/test/unit-lib.a
	$(CC) $(UNIT_CFLAGS) -o $@ $^ -lcmocka $(UNIT_LDLIBS_$*) $(LDLIBS_TOOLS)

.PHONY: test-unit-bins
test-unit-bins: $(UNIT_BINS)

-include $(UNIT_ALL_OBJS:.o=.d)
