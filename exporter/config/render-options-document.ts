import { commands } from "./commands.js";
import { canComeFrom, configurationKey, environmentName, type Option, optionGroups } from "./option.js";
import { optionRows } from "./options.js";

/** docs/options.md; a test says when the file is not what this gives. */
export function renderOptionsDocument(): string {
  return [
    "# Options",
    "",
    "<!-- Generated from exporter/config/options.ts by `npm run generate`. Do not edit. -->",
    "",
    "Every option can be given as a flag, as an environment variable, or in the YAML file of `--config`: flags come first, then",
    "variables, then the file. A value that is not allowed is a mistake wherever it stands, and all mistakes are reported together,",
    "those of a file with line and column. An empty variable counts as not set.",
    "",
    ...optionGroups.flatMap(renderGroup),
    "The collector and its transport are set by OpenTelemetry's own variables: `OTEL_EXPORTER_OTLP_ENDPOINT`, `..._HEADERS`,",
    "`..._CERTIFICATE`, `..._COMPRESSION`, `..._TIMEOUT`, `..._INSECURE` and their `OTEL_EXPORTER_OTLP_TRACES_*` forms.",
    "",
  ].join("\n");
}

function renderGroup(group: string): string[] {
  const rows = optionRows.filter(([, option]) => option.group === group);
  if (rows.length === 0) return [];
  return [
    `## ${group.charAt(0).toUpperCase()}${group.slice(1)}`,
    "",
    "| flag | variable | key in the file | value | default | what it does | commands |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rows.map(([, option]) => renderRow(option)),
    "",
  ];
}

function renderRow(option: Option<unknown>): string {
  const { flag, short, type, help, example } = option;
  const isSwitch = type.placeholder === "";
  const cells = [
    `\`--${flag}${isSwitch ? "" : ` ${type.placeholder}`}\`${short ? `, \`-${short}\`` : ""}`,
    canComeFrom(option, "environment") ? `\`${environmentName(option)}\`` : "",
    canComeFrom(option, "file") ? `\`${configurationKey(option)}\`` : "",
    isSwitch ? type.range : [type.range, `e.g. \`${example}\``].filter((text) => text !== "").join("; "),
    option.defaultText,
    help,
    option.commands.length === commands.length ? "all" : option.commands.join(", "),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
