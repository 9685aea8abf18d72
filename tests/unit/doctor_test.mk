# SPDX-License-Identifier: GPL-2.0
UNIT_SRCS_doctor_test := tools/ksmctl/doctor_checks.c tools/ksmctl/doctor_collect.c \
	tools/ksmctl/doctor_host.c tools/ksmctl/doctor_memory.c tools/ksmctl/doctor_hooks.c \
	tools/ksmctl/run_name.c
