import type { RunCommand } from "./command-context.js";
import { createSinks } from "./create-sinks.js";
import { describeExported } from "./describe-progress.js";
import { openSource } from "./open-source.js";
import { runSession } from "./run-session.js";

/** `skbspan replay FILE`. */
export const replayCommand: RunCommand = async (context) => {
  const source = await openSource(context, context.operands[0]);
  const sinks = await createSinks(context, { isRecording: true });
  const isShown = context.config.exports.some((name) => name !== "otlp");
  await runSession({ context, source, sinks, ...(isShown ? {} : { describeProgress: describeExported }) });
};
