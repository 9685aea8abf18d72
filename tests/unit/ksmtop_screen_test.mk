UNIT_SRCS_ksmtop_screen_test := ksmtop/screen.c
