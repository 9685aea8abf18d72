# SPDX-License-Identifier: GPL-2.0
UNIT_SRCS_ksmtop_ui_test := ksmtop/ui.c ksmtop/keys.c ksmtop/model.c ksmtop/panel_procs.c \
	ksmtop/screen.c ksmtop/layout.c ksmtop/overlay.c ksmtop/meters.c
