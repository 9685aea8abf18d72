// SPDX-License-Identifier: GPL-2.0
/* A fault says that it broke COW: VM_FAULT_WRITE. */
#include <linux/mm.h>
int probe(void);
int probe(void)
{
	return VM_FAULT_WRITE;
}
