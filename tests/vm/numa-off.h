/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For numa-off.test: what a kernel configured without NUMA does not define. Included on the
 * command line behind the kernel's own configuration.
 */
#undef CONFIG_NUMA
#undef CONFIG_NODES_SHIFT
#undef CONFIG_NUMA_BALANCING
#undef CONFIG_NUMA_BALANCING_DEFAULT_ENABLED
#undef CONFIG_ACPI_NUMA
#undef CONFIG_X86_64_ACPI_NUMA
#undef CONFIG_AMD_NUMA
#undef CONFIG_USE_PERCPU_NUMA_NODE_ID
#undef CONFIG_NUMA_KEEP_MEMINFO
#undef CONFIG_NUMA_MEMBLKS
