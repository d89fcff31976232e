import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { nearestName } from "../lib/nearest-name.js";
import type { CommandName } from "./commands.js";
import { type Mistake, quote, type Setting } from "./mistake.js";
import { canComeFrom, configurationKey } from "./option.js";
import { type OptionKey, optionRows } from "./options.js";

export interface Configuration {
  readonly settings: ReadonlyMap<OptionKey, Setting>;
  readonly mistakes: readonly Mistake[];
}

/**
 * The options in the text of a YAML file, a mapping of keys to values. Never throws: everything that is wrong is a
 * mistake with its line and column. Values are checked later, with those of other sources.
 */
export function readConfiguration(command: CommandName, fileName: string, text: string): Configuration {
  return new Reader(command, fileName, text).read();
}

const rows = optionRows.filter(([, option]) => canComeFrom(option, "file"));

class Reader {
  private readonly settings = new Map<OptionKey, Setting>();
  private readonly mistakes: Mistake[] = [];
  private readonly lines = new LineCounter();

  constructor(
    private readonly command: CommandName,
    private readonly fileName: string,
    private readonly text: string,
  ) {}

  read(): Configuration {
    const document = parseDocument(this.text, { lineCounter: this.lines, prettyErrors: false });
    for (const error of document.errors) this.report(error.pos[0], lowerFirst(error.message));
    const root = document.contents;
    if (isMap(root)) for (const pair of root.items) this.readPair(pair as Pair<Node, Node | null>);
    else if (root !== null && document.errors.length === 0)
      this.report(root.range?.[0] ?? 0, "the file must be a mapping, a line `key: value` for each option");
    return { settings: this.settings, mistakes: this.mistakes };
  }

  private readPair({ key, value }: Pair<Node, Node | null>): void {
    const offset = key.range?.[0] ?? 0;
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name === undefined) return this.report(offset, "a key must be a name");
    const row = rows.find(([, option]) => configurationKey(option) === name);
    if (!row) return this.reportUnknown(offset, name);
    const [optionKey, option] = row;
    if (!option.commands.includes(this.command))
      return this.report(offset, `${name} is an option of ${option.commands.join(", ")}, not of ${this.command}`);
    const text = readText(value);
    const valueOffset = value?.range?.[0] ?? offset;
    if (text === undefined) {
      const what =
        value === null || (isScalar(value) && value.value === null) ? "has no value" : "must have one plain value";
      return this.report(valueOffset, `${name} ${what}, such as ${name}: ${option.example}`);
    }
    if (!this.settings.has(optionKey)) this.settings.set(optionKey, { place: this.place(valueOffset), name, text });
  }

  private reportUnknown(offset: number, name: string): void {
    const known = rows
      .filter(([, option]) => option.commands.includes(this.command))
      .map(([, option]) => configurationKey(option));
    const nearest = nearestName(name, known);
    this.report(
      offset,
      `unknown key ${quote(name)}: ${nearest ? `did you mean "${nearest}"?` : `there are ${known.join(", ")}`}`,
    );
  }

  private report(offset: number, message: string): void {
    this.mistakes.push({ place: this.place(offset), message });
  }

  private place(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.fileName}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }
}

/** A scalar as it is written, so that `0x10` and `1/100` mean the same as on the command line; a list with commas. */
function readText(node: Node | null): string | undefined {
  if (isSeq(node)) {
    const parts = node.items.map((item) => readText(item as Node));
    return parts.every((part) => part !== undefined) && parts.length > 0 ? parts.join(",") : undefined;
  }
  if (!isScalar(node) || node.value === null) return undefined;
  return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
