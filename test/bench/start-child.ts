import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process of this benchmark that answers questions over IPC, one after another. */
export interface Child {
  /** Resolves to its next message; `question` is sent first. Throws when it ends instead. */
  ask<Answer>(question?: string | object): Promise<Answer>;
  tell(message: string | object): void;
  stop(): Promise<void>;
}

/** `file`: name of a compiled file of this folder, without its suffix. */
export function startChild(file: string, ...parameters: string[]): Child {
  const path = fileURLToPath(new URL(`${file}.js`, import.meta.url));
  const child = fork(path, parameters);
  const exited = once(child, "exit");
  const failed = exited.then(([code]): never => {
    throw new Error(`${file} ended with ${String(code)}`);
  });
  failed.catch(() => undefined);
  return {
    async ask<Answer>(question?: string | object): Promise<Answer> {
      const answered = once(child, "message") as Promise<[Answer]>;
      if (question !== undefined) child.send(question);
      return (await Promise.race([answered, failed]))[0];
    },
    tell: (message) => void child.send(message),
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
