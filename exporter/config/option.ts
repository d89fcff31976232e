import type { CommandName } from "./commands.js";
import type { ValueType } from "./value-type.js";

/** Where an option acts; the help is in this order. */
export const optionGroups = [
  "packets",
  "tracing",
  "joining",
  "output",
  "kubernetes",
  "agent",
  "page",
  "demo",
  "general",
] as const;
export type OptionGroup = (typeof optionGroups)[number];

export type OptionSource = "flag" | "environment" | "file";

/** One row of the option table: all there is to know about an option, but its key in Config, which is the table's. */
export interface Option<Value> {
  /** The long flag without its dashes. The environment variable and the configuration's key follow from it. */
  readonly flag: string;
  /** A single letter. */
  readonly short?: string;
  readonly group: OptionGroup;
  readonly type: ValueType<Exclude<Value, undefined>>;
  readonly default: Value;
  /** Commands whose default is another. */
  readonly defaultFor?: Partial<Readonly<Record<CommandName, Value>>>;
  /** The default as a user would write it, or what leaving it out means. */
  readonly defaultText: string;
  readonly help: string;
  readonly commands: readonly CommandName[];
  readonly example: string;
  /** The value may stand without its flag, as the command's arguments after those in its usage. */
  readonly isPositional?: boolean;
  /** The kernel side decides it: a recording cannot be asked again. */
  readonly isForKernel?: boolean;
  /** Where it can be set, when that is not everywhere. */
  readonly sources?: readonly OptionSource[];
}

export function defineOption<Value>(option: Option<Value>): Option<Value> {
  return option;
}

export function canComeFrom(option: Option<unknown>, source: OptionSource): boolean {
  return option.sources?.includes(source) ?? true;
}

export function environmentName(option: Pick<Option<unknown>, "flag">): string {
  return `SKBSPAN_${option.flag.toUpperCase().replaceAll("-", "_")}`;
}

export function configurationKey(option: Pick<Option<unknown>, "flag">): string {
  return option.flag.replaceAll("-", "_");
}
