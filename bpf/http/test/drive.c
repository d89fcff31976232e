/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#include "drive.h"

#include <stdio.h>
#include <string.h>

void drive__piece(struct http_parser *p, const uint8_t *bytes, size_t count, uint64_t *offset, drive_sink *sink,
		  void *context)
{
	size_t at = 0;

	while (p->skip < count - at) {
		uint32_t events, taken = 0;
		uint64_t word;

		at += p->skip;
		p->skip = 0;
		if (count - at >= sizeof(word)) {
			memcpy(&word, bytes + at, sizeof(word));
			taken = http__take_word(p, word);
		}
		at += taken;
		if (taken)
			continue;
		events = http__take(p, bytes[at]);
		if (events)
			sink(context, p, *offset + at, events);
		at++;
	}
	p->skip -= count - at;
	*offset += count;
}

static size_t describe_trace(char *text, size_t bytes, const struct http_trace *trace)
{
	size_t at = 0;

	if (!trace->found)
		return snprintf(text, bytes, "-");
	for (size_t i = 0; i < sizeof(trace->trace_id); i++)
		at += snprintf(text + at, bytes - at, "%02x", trace->trace_id[i]);
	at += snprintf(text + at, bytes - at, "-");
	for (size_t i = 0; i < sizeof(trace->span_id); i++)
		at += snprintf(text + at, bytes - at, "%02x", trace->span_id[i]);
	return at + snprintf(text + at, bytes - at, "-%02x", trace->flags);
}

static size_t describe_head(char *text, size_t bytes, const struct http_parser *p)
{
	size_t at = 0;

	if (p->is_http2)
		at += snprintf(text, bytes, "H(%u ", p->stream);
	else if (p->is_response)
		at += snprintf(text, bytes, "H(%u ", p->status);
	else
		at += snprintf(text, bytes, "H(%s",
			       p->method_is_head    ? "HEAD " :
			       p->method_is_connect ? "CONNECT " :
						      "");
	at += describe_trace(text + at, bytes - at, &p->trace);
	return at + snprintf(text + at, bytes - at, ")");
}

size_t drive__describe(char *text, size_t bytes, const struct http_parser *p, uint32_t events)
{
	size_t at = 0;

	if (events & HTTP_EVENT_START)
		at += snprintf(text + at, bytes - at, "S");
	if (events & HTTP_EVENT_FRAME)
		at += snprintf(text + at, bytes - at, "F(%u %u %u)", p->frame_type, p->frame_stream, p->frame_length);
	if (events & HTTP_EVENT_HEAD)
		at += describe_head(text + at, bytes - at, p);
	if (events & HTTP_EVENT_END)
		at += p->is_http2 ? snprintf(text + at, bytes - at, "E(%u)", p->stream) :
				    snprintf(text + at, bytes - at, "E");
	if (events & HTTP_EVENT_LOST)
		at += snprintf(text + at, bytes - at, "L");
	return at;
}
