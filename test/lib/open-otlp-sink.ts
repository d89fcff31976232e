import type { TestContext } from "node:test";
import { createOtlpSink, type OtlpSink, type OtlpSinkOptions } from "../../exporter/export/create-otlp-sink.js";

export interface OpenSinkOptions extends OtlpSinkOptions {
  readonly protocol?: "grpc" | "http";
  /** Further OTEL_EXPORTER_OTLP_* variables, without that beginning. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface OpenSink {
  readonly sink: OtlpSink;
  /** What a user would have been told. */
  readonly messages: string[];
}

const PREFIX = "OTEL_EXPORTER_OTLP_";

/** A sink as a user's variables alone make it, with short pauses. They stand until the next one: some are read late. */
export function openOtlpSink(context: TestContext, endpoint: string, options: OpenSinkOptions = {}): OpenSink {
  const { protocol = "grpc", variables = {}, ...rest } = options;
  clearVariables();
  const names = { PROTOCOL: protocol === "grpc" ? "grpc" : "http/protobuf", ENDPOINT: endpoint, ...variables };
  for (const [name, value] of Object.entries(names)) process.env[PREFIX + name] = value;
  const messages: string[] = [];
  const quick = { batchDelayMs: 5, firstBackoffMs: 20, maxBackoffMs: 200, flushTimeoutMs: 30_000 };
  const sink = createOtlpSink({ ...quick, ...rest, onProblem: (text) => messages.push(text) });
  context.after(async () => {
    await sink.close();
    clearVariables();
  });
  return { sink, messages };
}

function clearVariables(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith(PREFIX)) delete process.env[name];
}
