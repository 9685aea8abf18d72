# SPDX-License-Identifier: GPL-2.0
UNIT_SRCS_perfetto_test := tools/ksmtrace/perfetto.c tools/ksmtrace/report_sample.c
