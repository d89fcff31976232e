import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { readWarning } from "./tracer-failure.js";

const MAX_CHARACTERS = 65_536;

export interface StandardError {
  /** What was written, cut to a bounded length. */
  readonly text: string;
  readonly warnings: readonly string[];
}

/** Reads what the tracer tells people; its warnings are given to `onWarning` as they come. */
export function collectStandardError(stream: Readable, onWarning: (text: string) => void = () => {}): StandardError {
  const collected = { text: "", warnings: [] as string[] };
  createInterface({ input: stream }).on("line", (line) => {
    if (collected.text.length > MAX_CHARACTERS) return;
    collected.text += `${line}\n`;
    const warning = readWarning(line);
    if (warning === undefined) return;
    collected.warnings.push(warning);
    onWarning(warning);
  });
  return collected;
}
