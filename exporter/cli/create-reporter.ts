import type { Writable } from "node:stream";

/**
 * What a person reads on standard error. On a terminal the last line is a status that is written over; elsewhere a
 * status is a line now and then.
 */
export interface Reporter {
  say(text: string): void;
  warn(text: string): void;
  /** What goes on, in a line; undefined when there is nothing to say any more. */
  setStatus(text: string | undefined): void;
}

const LINE_EVERY_MS = 5_000;

export function createReporter(
  output: Writable & { isTTY?: boolean; columns?: number },
  now = performance.now.bind(performance),
): Reporter {
  let shown = "";
  let lineAtMs = now();
  // A terminal that is closed is no reason to stop tracing.
  output.on("error", () => {});
  const eraseStatus = (): string => (shown === "" ? "" : "\r\u001b[K");
  const print = (text: string): void => {
    output.write(`${eraseStatus()}${text}\n${shown}`);
  };
  return {
    say: print,
    warn: (text) => print(`skbspan: warning: ${text}`),
    setStatus(text) {
      if (output.isTTY === true) {
        const erase = eraseStatus();
        // A terminal that does not know its width says 0.
        shown = (text ?? "").slice(0, Math.max(20, (output.columns || 80) - 1));
        output.write(erase + shown);
        return;
      }
      if (text === undefined || now() - lineAtMs < LINE_EVERY_MS) return;
      lineAtMs = now();
      output.write(`skbspan: ${text}\n`);
    },
  };
}
