import type { AnswererCounts } from "./answer-otlp.js";
import { startChild } from "./start-child.js";

/** The receiver of a benchmark, in a process of its own. */
export interface Answerer {
  readonly endpoint: string;
  counts(): Promise<AnswererCounts>;
  stop(): Promise<void>;
}

/** `decodes`: it reads what it gets and counts the spans, which costs more than the senders do. */
export async function startAnswerer({ decodes }: { readonly decodes: boolean }): Promise<Answerer> {
  const child = startChild("answer-otlp");
  const { port } = await child.ask<{ port: number }>();
  if (decodes) child.tell("decode");
  return { endpoint: `http://127.0.0.1:${port}`, counts: () => child.ask("counts"), stop: () => child.stop() };
}
