import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { AnswererCounts } from "./answer-otlp.js";

/** The receiver of a benchmark, in a process of its own. */
export interface Answerer {
  readonly endpoint: string;
  counts(): Promise<AnswererCounts>;
  stop(): Promise<void>;
}

/** `decodes`: it reads what it gets and counts the spans, which costs more than the senders do. */
export async function startAnswerer({ decodes }: { readonly decodes: boolean }): Promise<Answerer> {
  const child = fork(fileURLToPath(new URL("answer-otlp.js", import.meta.url)));
  const exited = once(child, "exit");
  const ask = async <Answer>(question?: string): Promise<Answer> => {
    const answered = once(child, "message") as Promise<[Answer]>;
    if (question) child.send(question);
    const failed = exited.then(([code]) => {
      throw new Error(`the receiving process ended with ${String(code)}`);
    });
    return (await Promise.race([answered, failed]))[0];
  };
  const { port } = await ask<{ port: number }>();
  if (decodes) child.send("decode");
  return {
    endpoint: `http://127.0.0.1:${port}`,
    counts: () => ask<AnswererCounts>("counts"),
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}
