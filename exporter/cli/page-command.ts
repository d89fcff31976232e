import { once } from "node:events";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { createJaegerReader } from "../store/create-jaeger-reader.js";
import { createPageServer } from "../store/create-page-server.js";
import { createTraceStore, DEFAULT_STORE_LIMITS } from "../store/create-trace-store.js";
import { followJaeger } from "../store/follow-jaeger.js";
import { ListenError } from "../store/listen-error.js";
import { pageDirectory } from "../store/page-directory.js";
import { catchInterrupts } from "./catch-interrupts.js";
import type { RunCommand } from "./command-context.js";

/** `skbspan page --jaeger URL`: the page over what a Jaeger holds, until Ctrl-C. */
export const pageCommand: RunCommand = async ({ config, reporter }) => {
  const { jaegerUrl } = config;
  if (!/^https?:\/\/[^/]/.test(jaegerUrl))
    throw new UserError(exitCode.usage, `--jaeger must be the URL of a Jaeger's query API; it is "${jaegerUrl}".`, {
      hint: "For example: skbspan page --jaeger http://127.0.0.1:16686",
    });
  const interrupts = catchInterrupts(
    () => {},
    () => {},
  );
  const store = createTraceStore();
  const reader = createJaegerReader(jaegerUrl);
  const follower = followJaeger({
    reader,
    store,
    lookbackMs: config.lookbackMs,
    onProblem: (text) => reporter.warn(text),
  });
  const page = createPageServer({
    store,
    limits: DEFAULT_STORE_LIMITS,
    port: config.pagePort,
    pageDirectory,
    fetchTrace: follower.fetchTrace,
  });
  try {
    const { url } = await startPage(page);
    reporter.say(`skbspan: what ${jaegerUrl} holds, at ${url}    Ctrl-C ends it.`);
    if (!interrupts.signal.aborted) await once(interrupts.signal, "abort");
  } finally {
    await page.close();
    await follower.stop();
    interrupts.release();
  }
};

async function startPage(page: ReturnType<typeof createPageServer>): Promise<{ readonly url: string }> {
  try {
    return await page.start();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const hint = "--port chooses another port; 0 takes any that is free.";
    throw new UserError(exitCode.failure, error.message, { hint, cause: error });
  }
}
