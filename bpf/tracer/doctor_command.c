// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "doctor_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "features.h"
#include "json.h"
#include "kernel_btf.h"
#include "options.h"
#include "report.h"

static void check__print(const char *check, const char *title, enum answer answer, const char *reason, const char *mend)
{
	struct json_line line;

	json_line__open(&line, stdout);
	json_line__string(&line, "check", check);
	json_line__string(&line, "title", title);
	json_line__string(&line, "answer", answer__name(answer));
	json_line__string(&line, "reason", reason);
	json_line__string(&line, "mend", mend);
	json_line__close(&line);
}

static void backend__print(const struct features *features)
{
	enum wire_backend backend;
	char text[2048];

	if (!features__choose_backend(features, &backend, text, sizeof(text))) {
		snprintf(text, sizeof(text), "with the backend %s", backend__name(backend));
		check__print("trace", "Packets can be traced", ANSWER_YES, text, "");
	} else {
		check__print("trace", "Packets can be traced", ANSWER_NO, text, "mend what is answered with no above");
	}
}

int doctor_command__run(void)
{
	struct features features;

	features__probe(&features);
	features__check_inventory(&features);
	features__check_requests(&features);
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct feature_state *state = &features.states[i];

		check__print(state->check, state->title, state->answer, state->reason, state->mend);
	}
	backend__print(&features);
	kernel_btf__free_all();
	if (fflush(stdout) || ferror(stdout)) {
		report__error("cannot write the answers: %s", strerror(errno));
		return EXIT_CODE_FAILURE;
	}
	return EXIT_CODE_OK;
}
