UNIT_SRCS_ksmtop_model_test := ksmtop/model.c
