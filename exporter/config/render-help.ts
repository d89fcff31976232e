import { exitCodeMeanings } from "../lib/exit-code.js";
import { wrapText } from "../lib/wrap-text.js";
import { type Command, commands } from "./commands.js";
import { canComeFrom, environmentName, type Option, optionGroups } from "./option.js";
import { optionsOf } from "./options.js";

const WIDTH = 100;
const INDENT = 6;
const FORMS =
  "An option stands as --flag VALUE or --flag=VALUE; the variable in brackets sets it too, unless the flag is given.";

/** What `skbspan --help` says. */
export function renderOverview(version: string): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `skbspan ${version}: the journeys of packets through the Linux kernel as OpenTelemetry traces`,
    "",
    "Usage: skbspan COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "`skbspan COMMAND --help` explains a command and its options; `skbspan --version` tells the version.",
    "",
    ...renderExitCodes(),
    "",
  ].join("\n");
}

/** What `skbspan COMMAND --help` says. */
export function renderCommandHelp(command: Command): string {
  return [
    `Usage: ${renderUsage(command)}`,
    "",
    ...wrapText(`${command.summary}.`, WIDTH),
    ...wrapText(command.description, WIDTH),
    "",
    ...renderOperands(command),
    ...optionGroups.flatMap((group) => renderGroup(command, group)),
    "Examples:",
    ...command.examples.map((example) => `  ${example}`),
    "",
    ...wrapText(FORMS, WIDTH),
    "",
    ...renderExitCodes(),
    "",
  ].join("\n");
}

export function renderUsage({ name, operands, takesFilter }: Command): string {
  const names = operands.map((operand) => (operand.isRequired ? operand.name : `[${operand.name}]`));
  return ["skbspan", name, "[OPTIONS]", ...names, ...(takesFilter ? ["[FILTER]"] : [])].join(" ");
}

function renderOperands({ operands, takesFilter }: Command): string[] {
  const rows = operands.map(({ name, help }) => ({ name, help }));
  if (takesFilter)
    rows.push({ name: "FILTER", help: "A pcap filter expression, as for tcpdump: `tcp port 80 and host 10.0.0.2`." });
  if (rows.length === 0) return [];
  return ["Arguments:", ...rows.flatMap(({ name, help }) => [`  ${name}`, ...indent(help)]), ""];
}

function renderGroup(command: Command, group: string): string[] {
  const rows = optionsOf(command.name).filter(([, option]) => option.group === group);
  if (rows.length === 0) return [];
  return [
    `${group.charAt(0).toUpperCase()}${group.slice(1)}:`,
    ...rows.flatMap(([, option]) => renderOption(option)),
    "",
  ];
}

function renderOption(option: Option<unknown>): string[] {
  const { flag, short, type } = option;
  const head = `  ${short ? `-${short}, ` : "    "}--${flag}${type.placeholder === "" ? "" : ` ${type.placeholder}`}`;
  const facts = type.placeholder === "" ? [] : [`Default: ${option.defaultText}.`];
  if (type.range !== "" && type.placeholder !== "") facts.unshift(`Allowed: ${type.range}.`);
  if (type.placeholder !== "") facts.push(`Example: ${option.example}.`);
  const variable = canComeFrom(option, "environment") ? ` [${environmentName(option)}]` : "";
  return [head, ...indent(option.help + variable), ...(facts.length > 0 ? indent(facts.join(" ")) : [])];
}

function indent(text: string): string[] {
  return wrapText(text, WIDTH - INDENT).map((line) => " ".repeat(INDENT) + line);
}

function renderExitCodes(): string[] {
  const rows = Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code}  ${meaning}`);
  return ["Exit codes:", ...rows];
}
