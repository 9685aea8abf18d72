# SPDX-License-Identifier: GPL-2.0
UNIT_SRCS_ksmtop_screen_test := ksmtop/screen.c
