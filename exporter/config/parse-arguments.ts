import { nearestName } from "../lib/nearest-name.js";
import type { Command } from "./commands.js";
import { type Mistake, quote, type Setting } from "./mistake.js";
import { canComeFrom, type Option } from "./option.js";
import { type OptionKey, optionRows, optionsOf } from "./options.js";

export interface ParsedArguments {
  readonly settings: ReadonlyMap<OptionKey, Setting>;
  /** As many as the command has at most; missing ones are reported as mistakes. */
  readonly operands: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/** What stands on the command line after the command's name. Values are checked later, with those of other sources. */
export function parseArguments(command: Command, argv: readonly string[]): ParsedArguments {
  const parser = new Parser(command, argv);
  parser.run();
  return parser;
}

class Parser implements ParsedArguments {
  readonly settings = new Map<OptionKey, Setting>();
  readonly mistakes: Mistake[] = [];
  private readonly positionals: string[] = [];
  private at = 0;

  constructor(
    private readonly command: Command,
    private readonly argv: readonly string[],
  ) {}

  get operands(): readonly string[] {
    return this.positionals.slice(0, this.command.operands.length);
  }

  run(): void {
    while (this.at < this.argv.length) {
      const argument = this.argv[this.at++] ?? "";
      if (argument === "--") {
        this.positionals.push(...this.argv.slice(this.at));
        break;
      }
      if (argument.startsWith("--")) this.readLong(argument);
      else if (argument.startsWith("-") && argument !== "-") this.readShort(argument);
      else this.positionals.push(argument);
    }
    if (!this.settings.has("isHelpWanted")) this.checkPositionals();
  }

  private readLong(argument: string): void {
    const equals = argument.indexOf("=");
    const name = equals < 0 ? argument : argument.slice(0, equals);
    const row = optionsOf(this.command.name).find(([, option]) => `--${option.flag}` === name);
    if (!row) return this.reportUnknown(name);
    this.readValue(row, name, equals < 0 ? undefined : argument.slice(equals + 1));
  }

  private readShort(argument: string): void {
    const name = argument.slice(0, 2);
    const row = optionsOf(this.command.name).find(([, option]) => option.short === name.slice(1));
    if (!row) return this.reportUnknown(name);
    const attached = argument.slice(2);
    this.readValue(row, name, attached === "" ? undefined : attached.replace(/^=/, ""));
  }

  private readValue([key, option]: readonly [OptionKey, Option<unknown>], name: string, attached?: string): void {
    if (!canComeFrom(option, "flag")) return this.reportUnknown(name);
    let text = attached;
    if (text === undefined && option.type.placeholder === "") text = "true";
    if (text === undefined) {
      const next = this.argv[this.at];
      if (next === undefined || (next.startsWith("-") && next !== "-"))
        return this.report(`${name} needs a value: ${option.type.placeholder}, such as ${name} ${option.example}`);
      text = next;
      this.at++;
    }
    if (this.settings.has(key)) return this.report(`${name} is given twice`);
    this.settings.set(key, { place: "", name, text });
  }

  private checkPositionals(): void {
    const { operands, takesFilter } = this.command;
    for (const operand of operands.slice(this.positionals.length))
      if (operand.isRequired) this.report(`${operand.name} is missing: ${operand.help}`);
    const rest = this.positionals.slice(operands.length);
    if (rest.length === 0) return;
    if (!takesFilter) return this.report(`the argument ${quote(rest[0] ?? "")} is one too many`);
    if (this.settings.has("filter"))
      return this.report(`the filter is given twice: with --filter, and as ${quote(rest.join(" "))}`);
    this.settings.set("filter", { place: "", name: "the filter", text: rest.join(" ") });
  }

  private reportUnknown(name: string): void {
    const here = optionsOf(this.command.name).flatMap(([, { flag, short }]) => [
      `--${flag}`,
      ...(short ? [`-${short}`] : []),
    ]);
    const elsewhere = optionRows.find(([, option]) => `--${option.flag}` === name || `-${option.short}` === name)?.[1];
    if (elsewhere)
      return this.report(`${name} is an option of ${elsewhere.commands.join(", ")}, not of ${this.command.name}`);
    const nearest = nearestName(name, here);
    this.report(`unknown option ${name}${nearest ? `: did you mean ${nearest}?` : ""}`);
  }

  private report(message: string): void {
    this.mistakes.push({ place: "", message });
  }
}
