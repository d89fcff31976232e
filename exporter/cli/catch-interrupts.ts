import { exitCode } from "../lib/exit-code.js";

export interface Interrupts {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  release(): void;
}

/** The first signal asks for a clean end; the second ends at once, after `onSecond`. */
export function catchInterrupts(onFirst: () => void, onSecond: () => void): Interrupts {
  const controller = new AbortController();
  const handle = (): void => {
    if (controller.signal.aborted) {
      onSecond();
      process.exit(exitCode.failure);
    }
    controller.abort();
    onFirst();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, handle);
  return {
    signal: controller.signal,
    release() {
      for (const name of signals) process.off(name, handle);
    },
  };
}
