import type { Config } from "../config/options.js";
import type { Sink } from "../export/sink.js";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { CommandContext } from "./command-context.js";
import { limitProblems } from "./limit-problems.js";

export interface NamedSink {
  readonly name: string;
  readonly sink: Sink;
}

/** The sinks that the user wants, imported when they are. Throws UserError. */
export async function createSinks(
  context: CommandContext,
  options: { readonly isRecording: boolean },
): Promise<NamedSink[]> {
  const sinks: NamedSink[] = [];
  for (const name of context.config.exports) sinks.push({ name, sink: await createSink(name, context, options) });
  return sinks;
}

async function createSink(
  name: Config["exports"][number],
  { config, standardOutput, reporter }: CommandContext,
  { isRecording }: { readonly isRecording: boolean },
): Promise<Sink> {
  const output = standardOutput.stream;
  if (name === "json") return (await import("../export/create-json-sink.js")).createJsonSink({ output });
  if (name === "console") {
    const { createConsoleSink } = await import("../export/create-console-sink.js");
    const colour = config.colour === "auto" ? {} : { colour: config.colour === "always" };
    return createConsoleSink({ output, ...colour });
  }
  const { createOtlpSink } = await import("../export/create-otlp-sink.js");
  try {
    return createOtlpSink({
      // What the kernel sends does not wait for a collector; a recording does, so that all of it arrives.
      isPatient: isRecording,
      maxBufferedBytes: config.maxBufferBytes,
      flushTimeoutMs: config.flushTimeoutMs,
      onProblem: limitProblems((text) => reporter.warn(text)),
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(exitCode.usage, `Cannot export over OTLP: ${describeSystemError(error)}.`, {
      hint: "One of the OTEL_EXPORTER_OTLP_* variables says so.",
      cause: error,
    });
  }
}
