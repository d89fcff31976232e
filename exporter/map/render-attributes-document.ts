import { type AttributeDefinition, attributes } from "./attributes.js";

/** docs/attributes.md; a test says when the file is not what this gives. */
export function renderAttributesDocument(): string {
  return [
    "# Attributes",
    "",
    "<!-- Generated from exporter/map/attributes.ts by `npm run generate`. Do not edit. -->",
    "",
    "What stands on the spans of a journey. `root` is the span of the journey itself, `hop` one of a traversed function, `layer`",
    "one of several in less detail (`--detail`), `wait` one of a queue, `drop` the span in which the packet was dropped. Names are",
    "OpenTelemetry's where it has them.",
    "",
    "| attribute | type | on | meaning | from |",
    "| --- | --- | --- | --- | --- |",
    ...Object.values(attributes).map(renderRow),
    "",
    "## Resources",
    "",
    "| network namespace | `service.name` | besides |",
    "| --- | --- | --- |",
    "| the machine's own | `linux-network` | `host.name`, `host.id` |",
    "| one with a name | its name | `netns.inode`, `host.name`, `host.id` |",
    "| any other | `unknown-netns` | `netns.inode`, `host.name`, `host.id` |",
    "",
  ].join("\n");
}

function renderRow(definition: AttributeDefinition): string {
  const type = definition.unit ? `${definition.type}, ${definition.unit}` : definition.type;
  return `| \`${definition.key}\` | ${type} | ${definition.on.join(", ")} | ${definition.meaning} | ${definition.source} |`;
}
