import type { Config } from "../config/options.js";
import type { Sink } from "../export/sink.js";
import type { CommandContext } from "./command-context.js";

export interface NamedSink {
  readonly name: string;
  readonly sink: Sink;
}

/** The sinks that the user wants, imported when they are. */
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
  return createOtlpSink({
    // What the kernel sends does not wait for a collector; a recording does, so that all of it arrives.
    isPatient: isRecording,
    maxBufferedBytes: config.maxBufferBytes,
    flushTimeoutMs: config.flushTimeoutMs,
    onProblem: (text) => reporter.warn(text),
  });
}
