// SPDX-License-Identifier: GPL-2.0
/*
 * Misbehaves on purpose, to prove that the lab notices: what=warn on every kernel; use-after-free,
 * lock order and leak where the debug kernel's detectors run.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

static char *what = "warn";
module_param(what, charp, 0);

static DEFINE_MUTEX(planted_a);
static DEFINE_MUTEX(planted_b);

static noinline void take_both(struct mutex *first, struct mutex *second)
{
	mutex_lock(first);
	mutex_lock(second);
	mutex_unlock(second);
	mutex_unlock(first);
}

static noinline void use_after_free(void)
{
	char *volatile p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	p[3] = 1;
}

static noinline void leak(void)
{
	static void *volatile lost;
	int i;

	for (i = 0; i < 16; i++)
		lost = kmalloc(100, GFP_KERNEL);
	lost = NULL;
}

static int __init planted_init(void)
{
	if (!strcmp(what, "warn")) {
		WARN(1, "planted\n");
	} else if (!strcmp(what, "use-after-free")) {
		use_after_free();
	} else if (!strcmp(what, "lock-order")) {
		take_both(&planted_a, &planted_b);
		take_both(&planted_b, &planted_a);
	} else if (!strcmp(what, "leak")) {
		leak();
	} else {
		return -EINVAL;
	}
	return 0;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("ksmkit: proves that the lab notices a kernel that complains");
