# SPDX-License-Identifier: GPL-2.0
UNIT_SRCS_ksmtop_model_test := ksmtop/model.c ksmtop/events.c
