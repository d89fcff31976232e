import { once } from "node:events";
import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { backendNeeds } from "./lib/packages.js";
import { runScript, say } from "./lib/say.js";

// npm run stack: Jaeger, two Collectors, Prometheus and Alertmanager on this machine, without Docker, until Ctrl-C
await runScript(async () => {
  await installPackages(backendNeeds);
  await build();
  const { installBackends } = await import("../dist/test/backends/lib/install-backends.js");
  await installBackends(say);
  const { signal, release } = catchInterrupts();
  const { startStack } = await import("../dist/test/backends/lib/start-stack.js");
  const stack = await startStack({ onProgress: say, signal }).catch((/** @type {Error} */ error) => {
    if (!signal.aborted) say(`error: ${error.message}`);
  });
  if (!stack) return signal.aborted ? 0 : 1;
  say(stack.description);
  const why = signal.aborted
    ? undefined
    : await Promise.race([stack.ended, once(signal, "abort").then(() => undefined)]);
  if (why !== undefined) say(`error: ${why}`);
  say("stopping ...");
  await stack.stop();
  release();
  say("done: nothing of the stack is left");
  return why === undefined ? 0 : 1;
});

/** Ctrl-C and SIGTERM are asked to wait until everything has been stopped. */
function catchInterrupts() {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM"]);
  for (const name of signals) process.on(name, interrupt);
  // A timer, since nothing else keeps the process while it waits for a signal.
  const timer = setInterval(() => {}, 60_000);
  return {
    signal: interrupted.signal,
    release() {
      clearInterval(timer);
      for (const name of signals) process.off(name, interrupt);
    },
  };
}
