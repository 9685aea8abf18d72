# SPDX-License-Identifier: GPL-2.0
$(B)/test/bench-judge: tests/bench/judge.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< -ljson-c
