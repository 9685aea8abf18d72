/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files that decide at load whether this kernel is one the engine can work on. */
#ifndef KSME_COMPAT_CHECK_H
#define KSME_COMPAT_CHECK_H

#include <linux/btf.h>

/**
 * struct ksme_prototype - a function of the kernel as the engine calls it
 * @name: its symbol
 * @ret: return type, as written in C
 * @params: parameters in parentheses, as written in C
 */
struct ksme_prototype {
	const char *name;
	const char *ret;
	const char *params;
};

/* symbols.c; ends with an entry without a name */
extern const struct ksme_prototype ksme_prototypes[];

/* prototype.c */
int ksme_prototypes_check(const struct btf *btf);

/*
 * Would a check of @name, of this @kind, fail now because a test wants to see that? A build with
 * KSME_FALSIFY alone (tests/vm/t/refuse.test) knows the parameter that says so.
 */
#ifdef KSME_FALSIFY
bool ksme_falsified(const char *kind, const char *name);
#else
static inline bool ksme_falsified(const char *kind, const char *name)
{
	return false;
}
#endif

#endif /* KSME_COMPAT_CHECK_H */
