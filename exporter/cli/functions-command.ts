import { createStreamDecoder } from "../decode/create-stream-decoder.js";
import type { Frame } from "../decode/frame.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { findTracer } from "../tracer/find-tracer.js";
import { queryTracer } from "../tracer/query-tracer.js";
import type { CommandContext, RunCommand } from "./command-context.js";
import { countOf, formatCount } from "./describe-stats.js";
import { openSource } from "./open-source.js";
import { renderTable } from "./render-table.js";

/** A line of `skbspan-tracer functions`, or a probe of a recording. */
interface KernelFunction {
  readonly name: string;
  readonly symbol: string;
  /** Empty for the kernel itself. */
  readonly module: string;
  /** Position of the sk_buff, from 1. */
  readonly argument: number;
  readonly layer?: string;
  readonly attachable: boolean;
  /** By the probe set. */
  readonly chosen: boolean;
  /** Why it cannot be attached. */
  readonly reason?: string;
}

/** `skbspan functions [PATTERN]`. */
export const functionsCommand: RunCommand = async (context) => {
  const pattern = compilePattern(context.operands[0]);
  const all = await listFunctions(context);
  const chosen = all.filter(({ name, symbol }) => pattern.test(name) || pattern.test(symbol));
  const { standardOutput, config, reporter } = context;
  const lines = config.isJson ? chosen.map((row) => JSON.stringify(row)) : renderFunctions(chosen, config.probes);
  if (lines.length > 0) standardOutput.stream.write(`${lines.join("\n")}\n`);
  if (!config.isJson) reporter.say(describeFunctions(all, chosen, config.probes));
};

function compilePattern(text: string | undefined): RegExp {
  try {
    return new RegExp(text ?? "");
  } catch (error) {
    throw new UserError(exitCode.usage, `PATTERN is not a valid regular expression: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

async function listFunctions(context: CommandContext): Promise<readonly KernelFunction[]> {
  const { config, environment, reporter } = context;
  if (config.recording !== undefined) return await readRecordedFunctions(context);
  const { answers, warnings } = await queryTracer(findTracer(environment), ["functions", "--probes", config.probes]);
  for (const warning of warnings) reporter.warn(warning);
  return answers as readonly KernelFunction[];
}

async function readRecordedFunctions(context: CommandContext): Promise<KernelFunction[]> {
  const source = await openSource(context);
  const decoder = createStreamDecoder();
  const functions: KernelFunction[] = [];
  for await (const chunk of source.bytes)
    for (const frame of decoder.push(chunk)) if (frame.type === "probe") functions.push(toFunction(frame));
  decoder.end();
  return functions.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function toFunction({ name, symbol, module, argument }: Frame & { type: "probe" }): KernelFunction {
  return { name, symbol, module, argument, attachable: true, chosen: true };
}

function renderFunctions(functions: readonly KernelFunction[], probes: string): string[] {
  if (functions.length === 0) return [];
  return renderTable(
    ["function", "module", "layer", "argument", `in ${probes}`, "attachable"],
    functions.map(({ name, symbol, module, layer, argument, chosen, attachable, reason }) => [
      symbol === name || symbol === "" ? name : symbol,
      module === "" ? "-" : module,
      layer ?? "-",
      String(argument),
      chosen ? "yes" : "-",
      attachable ? "yes" : `no: ${reason ?? "the kernel does not say why"}`,
    ]),
  );
}

function describeFunctions(all: readonly KernelFunction[], shown: readonly KernelFunction[], probes: string): string {
  const attachable = all.filter((row) => row.attachable).length;
  const chosen = all.filter((row) => row.chosen).length;
  return `skbspan: ${formatCount(shown.length)} shown of ${countOf(all.length, "function")}, ${formatCount(attachable)} attachable, ${formatCount(chosen)} in ${probes}`;
}
