import type { RunCommand } from "./command-context.js";
import { createSessionPods } from "./create-session-pods.js";
import { createSinks } from "./create-sinks.js";
import { describeExported, describeWaiting } from "./describe-progress.js";
import { openPodNames } from "./open-pod-names.js";
import { openSource } from "./open-source.js";
import { runSession } from "./run-session.js";

/** `skbspan trace` and `skbspan drops`, which differ in their defaults alone. */
export const traceCommand: RunCommand = async (context) => {
  const sinks = await createSinks(context, { isRecording: context.config.recording !== undefined });
  const isShown = context.config.exports.some((name) => name !== "otlp");
  const kubernetes = await openPodNames(context);
  try {
    const pods = createSessionPods(context, kubernetes);
    const source = await openSource(context);
    const describeProgress = isShown ? describeWaiting : describeExported;
    await runSession({ context, source, sinks, pods, farEnds: kubernetes?.farEnds, describeProgress });
  } finally {
    await kubernetes?.close();
  }
};
