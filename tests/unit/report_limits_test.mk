# SPDX-License-Identifier: GPL-2.0
UNIT_SRCS_report_limits_test := tools/ksmtrace/report_limits.c
