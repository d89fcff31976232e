// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_CAPABILITIES 64

static int capabilities__read(struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, data);
}

uint64_t capabilities__effective(void)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (capabilities__read(data))
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

bool capabilities__has(int capability)
{
	return capabilities__effective() >> capability & 1;
}

static int capabilities__fail(const char *what, char *error, size_t error_bytes)
{
	snprintf(error, error_bytes, "cannot give up the rights of the tracer: %s: %s", what, strerror(errno));
	return -1;
}

int capabilities__drop_all(char *error, size_t error_bytes)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return capabilities__fail("no_new_privs", error, error_bytes);
	/* the bounding set first: that needs CAP_SETPCAP. Without it nothing can be regained either, given no_new_privs. */
	for (int capability = 0; capability < MOST_CAPABILITIES; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) && errno != EINVAL && errno != EPERM)
			return capabilities__fail("bounding set", error, error_bytes);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		return capabilities__fail("ambient set", error, error_bytes);
	if (syscall(SYS_capset, &header, none))
		return capabilities__fail("capset", error, error_bytes);
	if (capabilities__effective()) {
		errno = EPERM;
		return capabilities__fail("some are left", error, error_bytes);
	}
	return 0;
}

bool parent__watch(int signal, int parent)
{
	prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
	/* it may have gone before the request: then this process has been given another parent */
	return getppid() == parent;
}
