import type { RunCommand } from "./command-context.js";
import { createSinks } from "./create-sinks.js";
import { describeExported, describeWaiting } from "./describe-progress.js";
import { openSource } from "./open-source.js";
import { runSession } from "./run-session.js";

/** `skbspan trace` and `skbspan drops`, which differ in their defaults alone. */
export const traceCommand: RunCommand = async (context) => {
  const sinks = await createSinks(context, { isRecording: context.config.recording !== undefined });
  const isShown = context.config.exports.some((name) => name !== "otlp");
  const source = await openSource(context);
  await runSession({ context, source, sinks, describeProgress: isShown ? describeWaiting : describeExported });
};
