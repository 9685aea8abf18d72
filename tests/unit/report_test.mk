# SPDX-License-Identifier: GPL-2.0
UNIT_SRCS_report_test := $(filter-out tools/ksmtrace/report.c,$(wildcard tools/ksmtrace/report_*.c))
