/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Prints the TypeScript layout of wire.h: structs and enums from the BTF of a compiled wire.h, constants from the
 * preprocessor's list of its macros.
 *
 *   generate-layout WIRE_OBJECT WIRE_MACROS > layout.ts
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>

static const char intro[] =
	"// Generated from bpf/wire.h by `npm run generate`. Do not edit.\n"
	"// A struct's fields are byte offsets; `bytes` is its size, `<field>Bytes` the size of an array field.\n";

/* snake_case or SNAKE_CASE to camelCase. */
static void print_camel(const char *name)
{
	bool upper = false;

	for (; *name; name++) {
		if (*name == '_') {
			upper = true;
			continue;
		}
		putchar(upper ? toupper((unsigned char)*name) : tolower((unsigned char)*name));
		upper = false;
	}
}

static void print_struct(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_member *member = btf_members(type);

	printf("\nexport const ");
	print_camel(btf__name_by_offset(btf, type->name_off));
	printf(" = {\n  bytes: %u,\n", type->size);
	for (int i = 0; i < btf_vlen(type); i++, member++) {
		const char *name = btf__name_by_offset(btf, member->name_off);
		const struct btf_type *kind = btf__type_by_id(btf, member->type);

		if (strcmp(name, "reserved") == 0)
			continue;
		printf("  ");
		print_camel(name);
		printf(": %u,\n", btf_member_bit_offset(type, i) / 8);
		if (btf_is_array(kind)) {
			printf("  ");
			print_camel(name);
			printf("Bytes: %lld,\n", (long long)btf__resolve_size(btf, member->type));
		}
	}
	printf("} as const;\n");
}

/* How much of every name is the same, up to and with an underscore. */
static size_t common_prefix(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_enum *values = btf_enum(type);
	const char *first = btf__name_by_offset(btf, values[0].name_off);
	size_t length = strlen(first), prefix = 0;

	for (int i = 1; i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, values[i].name_off);
		size_t same = 0;

		while (same < length && name[same] == first[same])
			same++;
		length = same;
	}
	for (size_t i = 0; i < length; i++)
		if (first[i] == '_')
			prefix = i + 1;
	return prefix;
}

static void print_enum(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_enum *value = btf_enum(type);
	size_t prefix = common_prefix(btf, type);

	printf("\nexport const ");
	print_camel(btf__name_by_offset(btf, type->name_off));
	printf(" = {\n");
	for (int i = 0; i < btf_vlen(type); i++, value++) {
		printf("  ");
		print_camel(btf__name_by_offset(btf, value->name_off) + prefix);
		printf(": %u,\n", (unsigned int)value->val);
	}
	printf("} as const;\n");
}

static int print_types(const char *path)
{
	struct btf *btf = btf__parse(path, NULL);

	if (!btf) {
		fprintf(stderr, "generate-layout: error: cannot read the BTF of %s: %s\n", path, strerror(errno));
		return -1;
	}
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);

		if (strncmp(name, "wire_", 5) != 0)
			continue;
		if (btf_is_struct(type))
			print_struct(btf, type);
		else if (btf_is_enum(type))
			print_enum(btf, type);
	}
	btf__free(btf);
	return 0;
}

/* One line of `clang -dM -E`: "#define WIRE_NAME value". Function-like macros and the include guard have no value. */
static int print_constant(char *line)
{
	char *name, *value, *rest;
	unsigned long number;

	if (strncmp(line, "#define WIRE_", 13) != 0)
		return 0;
	name = line + strlen("#define ");
	value = strchr(name, ' ');
	if (!value || memchr(name, '(', value - name))
		return 0;
	*value++ = 0;
	value[strcspn(value, "\n")] = 0;
	printf("  ");
	print_camel(name + strlen("WIRE_"));
	if (*value == '"') {
		printf(": %s,\n", value);
		return 0;
	}
	number = strtoul(value, &rest, 0);
	if (rest == value || (*rest && strcmp(rest, "u") != 0)) {
		fprintf(stderr, "generate-layout: error: %s is \"%s\": a number or a string is expected in wire.h\n",
			name, value);
		return -1;
	}
	printf(": %lu,\n", number);
	return 0;
}

static int print_constants(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[4096];
	int err = 0;

	if (!file) {
		fprintf(stderr, "generate-layout: error: cannot read %s: %s\n", path, strerror(errno));
		return -1;
	}
	printf("\nexport const wire = {\n");
	while (!err && fgets(line, sizeof(line), file))
		err = print_constant(line);
	printf("} as const;\n");
	fclose(file);
	return err;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: generate-layout WIRE_OBJECT WIRE_MACROS > layout.ts\n");
		return 2;
	}
	fputs(intro, stdout);
	return print_constants(argv[2]) || print_types(argv[1]) ? 1 : 0;
}
