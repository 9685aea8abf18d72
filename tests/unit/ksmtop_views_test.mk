# SPDX-License-Identifier: GPL-2.0
UNIT_SRCS_ksmtop_views_test := $(KSMTOP_PURE)
