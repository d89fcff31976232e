// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "features.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <pcap/pcap.h>

#include "attempts.h"
#include "capabilities.h"
#include "file.h"
#include "inventory.h"
#include "requests.h"
#include "kernel_btf.h"
#include "kernel_symbols.h"
#include "options.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

/* One kprobe takes two descriptors, a return probe as many again. */
#define FILES_NEEDED 8192

#define RIGHTS_MEND "run as root, or give the tracer CAP_BPF and CAP_PERFMON"

struct feature_text {
	const char *check;
	const char *title;
	const char *mend;
};

static const struct feature_text texts[FEATURE_COUNT] = {
	[FEATURE_RIGHTS_BPF] = { "rights.bpf", "Right to load BPF programs (CAP_BPF)", RIGHTS_MEND },
	[FEATURE_RIGHTS_PERFMON] = { "rights.perfmon", "Right to observe the kernel (CAP_PERFMON)", RIGHTS_MEND },
	[FEATURE_KERNEL_BTF] = { "btf.kernel", "Type information of the kernel (BTF)",
				 "use a kernel with CONFIG_DEBUG_INFO_BTF=y; the distributions' kernels have it" },
	[FEATURE_MODULE_BTF] = { "btf.modules", "Type information of the modules",
				 "use a kernel with CONFIG_DEBUG_INFO_BTF_MODULES=y; without it functions of modules are not traced" },
	[FEATURE_RING_BUFFER] = { "ring-buffer", "Ring buffer to user space", "use kernel 5.8 or later" },
	[FEATURE_RAW_TRACEPOINT] = { "tracepoint", "Tracepoints (backend tracepoint)",
				     "use a kernel with CONFIG_BPF_EVENTS=y" },
	[FEATURE_KPROBE] = { "kprobe", "Functions one by one (backend kprobe)",
			     "use a kernel with CONFIG_KPROBES=y and CONFIG_KPROBE_EVENTS=y, 5.15 or later" },
	[FEATURE_KPROBE_MULTI] = { "kprobe.multi", "Many functions with one link (backend kprobe.multi)",
				   "use a kernel with CONFIG_FPROBE=y, 5.18 or later; other backends work without it" },
	[FEATURE_KPROBE_SESSION] = { "kprobe.session", "Entry and return in one program (backend kprobe.session)",
				     "use a kernel with CONFIG_FPROBE=y, 6.10 or later; other backends work without it" },
	[FEATURE_FENTRY] = { "fentry", "Trampolines at functions (fentry; not needed)", "" },
	[FEATURE_STACK] = { "stack", "Kernel stacks at tracepoints", "use a kernel with CONFIG_PERF_EVENTS=y" },
	[FEATURE_SYMBOL_ADDRESSES] = { "symbols", "Addresses of the kernel's functions",
				       "use Linux 6.0 or later with CAP_BPF and CAP_PERFMON; or give the tracer CAP_SYSLOG and set kernel.kptr_restrict to 0 or 1" },
	[FEATURE_FUNCTION_LIST] = { "function-list", "List of the functions that can be attached",
				    "mount -t tracefs tracefs /sys/kernel/tracing; in a container mount it from the machine" },
	[FEATURE_MEMLOCK] = { "memory", "Memory for maps", "raise the limit of locked memory (ulimit -l unlimited)" },
	[FEATURE_OPEN_FILES] = { "open-files", "Open files (backend kprobe needs many)",
				 "raise the limit (ulimit -n 65536), or choose fewer functions with --probes" },
	[FEATURE_LOCKDOWN] = { "lockdown", "The kernel lets programs read its memory (no lockdown to confidentiality)",
			       "start the kernel with lockdown=integrity or without lockdown" },
	[FEATURE_JIT] = { "jit", "Programs are compiled (BPF JIT)", "sysctl net.core.bpf_jit_enable=1" },
	[FEATURE_UNPRIVILEGED] = { "unprivileged", "Programs of unprivileged users are off (not needed, safer)",
				   "sysctl kernel.unprivileged_bpf_disabled=2" },
	[FEATURE_INVENTORY] = { "pods", "Whose a network namespace is (pods)",
				"use kernel 5.17 or later; without it packets are traced, and no pod is named" },
	[FEATURE_REQUESTS] = { "requests", "Requests of applications are seen, so that packets can join their traces",
			       "packets have traces of their own: a kernel since 5.17 with kprobes, or since 6.16, shows requests" },
	[FEATURE_UPROBE] = { "requests.tls", "Requests in TLS (--join-sources tls)",
			     "use a kernel with CONFIG_UPROBE_EVENTS=y; without it, skbspan/register tells of Node.js's requests" },
	[FEATURE_THREAD] = { "requests.thread", "Trace contexts of threads (--join-sources thread)",
			     "use x86-64; elsewhere requests are known by their headers" },
	[FEATURE_LIBPCAP] = { "libpcap", "Filter expressions (libpcap)", "install libpcap" },
};

/* ---- answers -------------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void features__set(struct features *features, enum feature feature,
								enum answer answer, const char *format, ...)
{
	struct feature_state *state = &features->states[feature];
	va_list arguments;

	state->check = texts[feature].check;
	state->title = texts[feature].title;
	state->mend = answer == ANSWER_YES ? "" : texts[feature].mend;
	state->answer = answer;
	va_start(arguments, format);
	vsnprintf(state->reason, sizeof(state->reason), format, arguments);
	va_end(arguments);
}

static bool features__have_rights(const struct features *features)
{
	return features->states[FEATURE_RIGHTS_BPF].answer == ANSWER_YES &&
	       features->states[FEATURE_RIGHTS_PERFMON].answer == ANSWER_YES;
}

static const char *failure__text(int failure)
{
	if (failure == EOPNOTSUPP)
		return "not built into this kernel"; /* "Operation not supported" says less */
	if (failure == ENODEV)
		return "the kernel has no kprobes (CONFIG_KPROBES)";
	return strerror(failure);
}

/* Not the kernel's fault, as far as one can tell: the mend is another. */
static void features__set_unknown(struct features *features, enum feature feature, int failure, const char *tried)
{
	features__set(features, feature, ANSWER_UNKNOWN, "%s: %s, and rights are missing", tried, strerror(failure));
	features->states[feature].mend = RIGHTS_MEND;
}

/* What was tried is the answer, except where it could only fail for want of rights. */
static void features__set_tried(struct features *features, enum feature feature, int failure, const char *tried)
{
	if (!failure)
		features__set(features, feature, ANSWER_YES, "%s: it works", tried);
	else if ((failure == EPERM || failure == EACCES) && !features__have_rights(features))
		features__set_unknown(features, feature, failure, tried);
	else
		features__set(features, feature, ANSWER_NO, "%s: %s", tried, failure__text(failure));
}

/* ---- checks --------------------------------------------------------------------------------------------------------- */

static void features__check_right(struct features *features, enum feature feature, int capability, const char *name)
{
	if (capabilities__has(capability))
		features__set(features, feature, ANSWER_YES, "this process has %s", name);
	else if (capabilities__has(CAP_SYS_ADMIN))
		features__set(features, feature, ANSWER_YES, "this process has CAP_SYS_ADMIN, which includes %s", name);
	else
		features__set(features, feature, ANSWER_NO, "this process has neither %s nor CAP_SYS_ADMIN", name);
}

static void features__check_btf(struct features *features)
{
	const struct btf *btf = kernel_btf__vmlinux();
	uint32_t bytes = kernel_btf__sk_buff_bytes();
	size_t modules = 0, loaded_bytes = 0;
	char *loaded;

	if (!btf)
		features__set(features, FEATURE_KERNEL_BTF, ANSWER_NO, "/sys/kernel/btf/vmlinux: %s", strerror(errno));
	else if (!bytes)
		features__set(features, FEATURE_KERNEL_BTF, ANSWER_NO, "it describes no struct sk_buff");
	else
		features__set(features, FEATURE_KERNEL_BTF, ANSWER_YES, "%u types, struct sk_buff has %u bytes",
			      btf__type_cnt(btf), bytes);
	kernel_btf__modules(&modules);
	loaded = file__read("/proc/modules", &loaded_bytes);
	if (modules)
		features__set(features, FEATURE_MODULE_BTF, ANSWER_YES, "of %zu modules", modules);
	else if (!btf)
		features__set(features, FEATURE_MODULE_BTF, ANSWER_NO, "the kernel itself has none");
	else if (!loaded || !loaded_bytes)
		features__set(features, FEATURE_MODULE_BTF, ANSWER_YES, "no modules are loaded: none is needed");
	else
		features__set(features, FEATURE_MODULE_BTF, ANSWER_NO,
			      "modules are loaded, /sys/kernel/btf has none of them");
	free(loaded);
}

static void features__check_session(struct features *features)
{
	const struct btf *btf = kernel_btf__vmlinux();
	const char *tried = "attaching a program to " ATTEMPT_FUNCTION;
	int failure = attempt__kprobe_session();

	if (!failure && (!btf || btf__find_by_name_kind(btf, "bpf_session_is_return", BTF_KIND_FUNC) < 0 ||
			 btf__find_by_name_kind(btf, "bpf_session_cookie", BTF_KIND_FUNC) < 0))
		features__set(
			features, FEATURE_KPROBE_SESSION, ANSWER_NO,
			"it attaches, but the kernel's type information lacks bpf_session_is_return or bpf_session_cookie");
	else if (failure == EINVAL)
		features__set(features, FEATURE_KPROBE_SESSION, ANSWER_NO, "%s: this kernel does not know the kind",
			      tried);
	else
		features__set_tried(features, FEATURE_KPROBE_SESSION, failure, tried);
}

/* Debian's and Ubuntu's kernels know a third level of perf_event_paranoid, which CAP_PERFMON does not get past. */
static void features__check_kprobe(struct features *features, const char *tried)
{
	int failure = attempt__kprobe();
	long paranoid = 0;

	file__read_number("/proc/sys/kernel/perf_event_paranoid", &paranoid);
	features__set_tried(features, FEATURE_KPROBE, failure, tried);
	if ((failure != EACCES && failure != EPERM) || paranoid < 3 || !features__have_rights(features))
		return;
	features__set(features, FEATURE_KPROBE, ANSWER_NO, "%s: %s: kernel.perf_event_paranoid is %ld", tried,
		      strerror(failure), paranoid);
	features->states[FEATURE_KPROBE].mend = "sysctl kernel.perf_event_paranoid=2, or give the tracer CAP_SYS_ADMIN";
}

/* Where a thread's variables begin is in a register, which only x86-64 keeps where programs find it. */
static void features__check_thread(struct features *features)
{
	const struct btf *btf = kernel_btf__vmlinux();
	int id = btf ? btf__find_by_name_kind(btf, "thread_struct", BTF_KIND_STRUCT) : -1;
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), "fsbase")) {
			features__set(features, FEATURE_THREAD, ANSWER_YES,
				      "of executables, and of libraries that are loaded when the trace begins");
			return;
		}
	features__set(features, FEATURE_THREAD, ANSWER_NO,
		      "this kernel's type information does not say where a thread's own variables are");
}

/* One after the other: what a kernel lacks must not look like what the next one lacks. */
static void features__check_programs(struct features *features)
{
	const char *attached = "attaching a program to " ATTEMPT_FUNCTION;
	int failure;

	features__set_tried(features, FEATURE_RING_BUFFER, attempt__ring_buffer(), "making one");
	features__set_tried(features, FEATURE_RAW_TRACEPOINT, attempt__raw_tracepoint(),
			    "attaching a program to kfree_skb");
	features__check_kprobe(features, attached);
	failure = attempt__kprobe_multi();
	if (failure == EINVAL)
		features__set(features, FEATURE_KPROBE_MULTI, ANSWER_NO, "%s: this kernel does not know the kind",
			      attached);
	else
		features__set_tried(features, FEATURE_KPROBE_MULTI, failure, attached);
	features__check_session(features);
	failure = attempt__fentry();
	features__set_tried(features, FEATURE_FENTRY, failure, attached);
	features__set_tried(features, FEATURE_STACK, attempt__stack(), "loading a program that reads its stack");
	failure = attempt__read_kernel();
	features__set_tried(features, FEATURE_LOCKDOWN, failure, "loading a program that reads kernel memory");
	failure = attempt__uprobe();
	if (failure == ENODEV)
		features__set(features, FEATURE_UPROBE, ANSWER_NO, "the kernel has no uprobes (CONFIG_UPROBE_EVENTS)");
	else
		features__set_tried(features, FEATURE_UPROBE, failure,
				    "attaching a program to a function of this process");
	features__check_thread(features);
}

static void features__check_symbols(struct features *features)
{
	int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	int failure;

	if (fd >= 0)
		close(fd);
	if (bytes <= 0) {
		features__set(features, FEATURE_SYMBOL_ADDRESSES, ANSWER_NO, "cannot read /proc/kallsyms: %s",
			      strerror(errno));
		return;
	}
	text[bytes] = '\0';
	for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strtoull(line, NULL, 16)) {
			features__set(features, FEATURE_SYMBOL_ADDRESSES, ANSWER_YES, "/proc/kallsyms shows them");
			return;
		}
	failure = kernel_symbols__try_listing();
	if (failure)
		features__set(features, FEATURE_SYMBOL_ADDRESSES, ANSWER_NO,
			      "/proc/kallsyms hides them from this process, and a BPF program cannot list them: %s",
			      strerror(failure));
	else
		features__set(features, FEATURE_SYMBOL_ADDRESSES, ANSWER_YES,
			      "/proc/kallsyms hides them from this process, a BPF program lists them");
}

static void features__check_function_list(struct features *features)
{
	static const char *const paths[] = {
		"/sys/kernel/tracing/available_filter_functions",
		"/sys/kernel/debug/tracing/available_filter_functions",
	};
	int failure = ENOENT;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		char byte;
		ssize_t bytes = fd < 0 ? -1 : read(fd, &byte, 1);

		if (bytes < 0 && errno != ENOENT)
			failure = errno;
		if (fd >= 0)
			close(fd);
		if (bytes > 0) {
			features__set(features, FEATURE_FUNCTION_LIST, ANSWER_YES, "%s can be read", paths[i]);
			return;
		}
	}
	features__set(
		features, FEATURE_FUNCTION_LIST, ANSWER_NO,
		"available_filter_functions: %s; functions are tried instead, and counted when the kernel refuses",
		strerror(failure));
}

static void features__check_limits(struct features *features)
{
	struct rlimit limit = {};
	int failure = attempt__large_map();

	if (failure == EPERM && features__have_rights(features))
		features__set(features, FEATURE_MEMLOCK, ANSWER_NO,
			      "making a map of 16 MiB: the limit of locked memory forbids it");
	else
		features__set_tried(features, FEATURE_MEMLOCK, failure, "making a map of 16 MiB");
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max >= FILES_NEEDED)
		features__set(features, FEATURE_OPEN_FILES, ANSWER_YES, "up to %llu",
			      (unsigned long long)limit.rlim_max);
	else if (capabilities__has(CAP_SYS_RESOURCE))
		features__set(features, FEATURE_OPEN_FILES, ANSWER_YES, "up to %llu, and this process may raise it",
			      (unsigned long long)limit.rlim_max);
	else
		features__set(features, FEATURE_OPEN_FILES, ANSWER_NO, "at most %llu, all functions need %d",
			      (unsigned long long)limit.rlim_max, FILES_NEEDED);
}

static void features__check_settings(struct features *features)
{
	long value;

	if (!file__read_number("/proc/sys/net/core/bpf_jit_enable", &value))
		features__set(features, FEATURE_JIT, ANSWER_UNKNOWN, "net.core.bpf_jit_enable: %s", strerror(errno));
	else
		features__set(features, FEATURE_JIT, value ? ANSWER_YES : ANSWER_NO, "net.core.bpf_jit_enable is %ld",
			      value);
	if (!file__read_number("/proc/sys/kernel/unprivileged_bpf_disabled", &value))
		features__set(features, FEATURE_UNPRIVILEGED, ANSWER_UNKNOWN, "kernel.unprivileged_bpf_disabled: %s",
			      strerror(errno));
	else
		features__set(features, FEATURE_UNPRIVILEGED, value ? ANSWER_YES : ANSWER_NO,
			      "kernel.unprivileged_bpf_disabled is %ld", value);
	features__set(features, FEATURE_LIBPCAP, ANSWER_YES, "%s", pcap_lib_version());
}

/* How it is done is said too: the way for older kernels is as good, but holds one CPU for the time of a scan. */
void features__check_inventory(struct features *features)
{
	struct inventory *inventory = features__have_rights(features) ? inventory__open() : NULL;
	enum wire_inventory_method method = inventory ? inventory__method(inventory) : WIRE_INVENTORY_NONE;
	const char *live = inventory && inventory__is_live(inventory) ?
				   "processes that begin are reported" :
				   "processes that begin are found by the next scan only";

	if (!inventory)
		features__set(features, FEATURE_INVENTORY, ANSWER_UNKNOWN, "rights are missing");
	else if (method == WIRE_INVENTORY_ITERATOR)
		features__set(features, FEATURE_INVENTORY, ANSWER_YES, "by the kernel's iterator of tasks; %s", live);
	else if (method == WIRE_INVENTORY_WALK)
		features__set(features, FEATURE_INVENTORY, ANSWER_YES, "by following the list of processes: %s; %s",
			      inventory__reason(inventory), live);
	else
		features__set(features, FEATURE_INVENTORY, ANSWER_NO, "%s", inventory__reason(inventory));
	inventory__free(inventory);
}

void features__check_requests(struct features *features)
{
	char said[192], error[256];
	struct symbol_table *symbols;
	struct requests_options options = { .sources = REQUEST_SOURCES_DEFAULT };
	struct requests *requests;

	if (!features__have_rights(features)) {
		features__set(features, FEATURE_REQUESTS, ANSWER_UNKNOWN, "rights are missing");
		return;
	}
	symbols = kernel_symbols__read(error, sizeof(error));
	options.symbols = symbols;
	requests = requests__open(NULL, &options, said, sizeof(said));
	features__set(
		features, FEATURE_REQUESTS, requests ? ANSWER_YES : ANSWER_NO,
		requests ? "%s; of what is encrypted, only what skbspan/register tells, or the sources thread and tls" :
			   "%s",
		said);
	requests__free(requests);
	if (symbols)
		symbol_table__free(symbols);
}

void features__probe(struct features *features)
{
	memset(features, 0, sizeof(*features));
	features__check_right(features, FEATURE_RIGHTS_BPF, CAP_BPF, "CAP_BPF");
	features__check_right(features, FEATURE_RIGHTS_PERFMON, CAP_PERFMON, "CAP_PERFMON");
	features__check_btf(features);
	features__check_programs(features);
	features__check_symbols(features);
	features__check_function_list(features);
	features__check_limits(features);
	features__check_settings(features);
}

/* ---- backends ------------------------------------------------------------------------------------------------------- */

#define MOST_NEEDS 8

struct backend_needs {
	enum wire_backend backend;
	const char *name;
	size_t count;
	enum feature needs[MOST_NEEDS]; /* the most telling first: the first that is missing is named */
};

#define COMMON_NEEDS                                                                                                   \
	FEATURE_RIGHTS_BPF, FEATURE_RIGHTS_PERFMON, FEATURE_KERNEL_BTF, FEATURE_RING_BUFFER, FEATURE_LOCKDOWN

/* Best first. Functions are attached by their address: names are not unique. Ends are seen at tracepoints too. */
static const struct backend_needs backends[] = {
	{ WIRE_BACKEND_KPROBE_SESSION,
	  "kprobe.session",
	  8,
	  { COMMON_NEEDS, FEATURE_KPROBE_SESSION, FEATURE_SYMBOL_ADDRESSES, FEATURE_RAW_TRACEPOINT } },
	{ WIRE_BACKEND_KPROBE_MULTI,
	  "kprobe.multi",
	  8,
	  { COMMON_NEEDS, FEATURE_KPROBE_MULTI, FEATURE_SYMBOL_ADDRESSES, FEATURE_RAW_TRACEPOINT } },
	{ WIRE_BACKEND_KPROBE,
	  "kprobe",
	  8,
	  { COMMON_NEEDS, FEATURE_KPROBE, FEATURE_SYMBOL_ADDRESSES, FEATURE_RAW_TRACEPOINT } },
	{ WIRE_BACKEND_TRACEPOINT, "tracepoint", 6, { COMMON_NEEDS, FEATURE_RAW_TRACEPOINT } },
	{ WIRE_BACKEND_DROPS, "drops", 6, { COMMON_NEEDS, FEATURE_RAW_TRACEPOINT } },
};

#define BACKEND_COUNT (sizeof(backends) / sizeof(backends[0]))

static const struct feature_state *features__first_missing(const struct features *features,
							   const struct backend_needs *backend)
{
	for (size_t i = 0; i < backend->count; i++)
		if (features->states[backend->needs[i]].answer != ANSWER_YES)
			return &features->states[backend->needs[i]];
	return NULL;
}

static int features__exit_code(const struct features *features)
{
	return features__have_rights(features) ? EXIT_CODE_KERNEL : EXIT_CODE_RIGHTS;
}

int features__check_backend(const struct features *features, enum wire_backend backend, char *error, size_t error_bytes)
{
	for (size_t i = 0; i < BACKEND_COUNT; i++) {
		const struct feature_state *missing;

		if (backends[i].backend != backend)
			continue;
		missing = features__first_missing(features, &backends[i]);
		if (!missing)
			return EXIT_CODE_OK;
		snprintf(error, error_bytes, "cannot trace with the backend %s: %s: %s%s%s", backends[i].name,
			 missing->title, missing->reason, *missing->mend ? "; " : "", missing->mend);
		return missing == &features->states[FEATURE_SYMBOL_ADDRESSES] ? EXIT_CODE_RIGHTS :
										features__exit_code(features);
	}
	snprintf(error, error_bytes, "there is no backend number %d", backend);
	return EXIT_CODE_USAGE;
}

int features__choose_backend(const struct features *features, enum wire_backend *backend, char *error,
			     size_t error_bytes)
{
	for (size_t i = 0; i < BACKEND_COUNT; i++)
		if (backends[i].backend != WIRE_BACKEND_DROPS && !features__first_missing(features, &backends[i])) {
			*backend = backends[i].backend;
			return EXIT_CODE_OK;
		}
	/* what keeps even tracepoints from working keeps everything from working */
	return features__check_backend(features, WIRE_BACKEND_TRACEPOINT, error, error_bytes);
}

const char *backend__name(enum wire_backend backend)
{
	for (size_t i = 0; i < BACKEND_COUNT; i++)
		if (backends[i].backend == backend)
			return backends[i].name;
	return "none";
}

const char *answer__name(enum answer answer)
{
	static const char *const names[] = { [ANSWER_UNKNOWN] = "unknown", [ANSWER_YES] = "yes", [ANSWER_NO] = "no" };

	return names[answer];
}
