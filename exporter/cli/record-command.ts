import { readPodSelection } from "../config/read-pod-selection.js";
import { createStreamDecoder } from "../decode/create-stream-decoder.js";
import { createNodeState } from "../enrich/create-node-state.js";
import { needsNames } from "../enrich/select-pod.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { RunCommand } from "./command-context.js";
import { createFileWriter, createStreamWriter, type RecordingWriter } from "./create-recording-writer.js";
import { createSessionPods } from "./create-session-pods.js";
import { describeWaiting } from "./describe-progress.js";
import { formatCount } from "./describe-stats.js";
import { openPodNames } from "./open-pod-names.js";
import { openSource } from "./open-source.js";
import { type Consumer, type ConsumerHooks, runSession } from "./run-session.js";

/** `skbspan record FILE [FILTER]`. */
export const recordCommand: RunCommand = async (context) => {
  const { config, operands, standardOutput, reporter } = context;
  const path = operands[0] ?? "-";
  if (path === "-" && standardOutput.stream.isTTY)
    throw new UserError(exitCode.usage, "A recording is not for a terminal.", {
      hint: "Name a file, or send the output to a program.",
    });
  const writer = path === "-" ? createStreamWriter(standardOutput.stream) : createFileWriter(path, config);
  const kubernetes = needsNames(readPodSelection(config)) ? await openPodNames(context) : undefined;
  try {
    const pods = createSessionPods(context, kubernetes);
    await runSession({
      context,
      source: await openSource(context),
      sinks: [],
      pods,
      createConsumer: (hooks) => createRecordingConsumer(writer, hooks),
      describeProgress: (consumer, elapsedMs) =>
        consumer.journeys === 0 ? describeWaiting(consumer, elapsedMs) : describeRecorded(writer, consumer),
    });
  } finally {
    await writer.close();
    await kubernetes?.close();
    if (writer.writtenBytes > 0 && !config.isQuiet)
      reporter.say(`skbspan: ${formatCount(writer.writtenBytes)} bytes in ${writer.name}`);
  }
};

function describeRecorded(writer: RecordingWriter, { journeys }: Consumer): string {
  return `${formatCount(journeys)} journeys, ${formatCount(writer.writtenBytes)} bytes`;
}

/** Writes before it reads: what cannot be written is not counted. */
/** Nothing is named in a recording; which pods are where is followed all the same, for --pod and the like. */
function createRecordingConsumer(writer: RecordingWriter, hooks: ConsumerHooks): Consumer {
  const decoder = createStreamDecoder();
  const state = createNodeState({ resolver: hooks.resolver });
  let journeys = 0;
  return {
    state,
    spans: 0,
    get journeys() {
      return journeys;
    },
    push(bytes) {
      writer.write(bytes);
      for (const frame of decoder.push(bytes)) {
        if (frame.type === "journey") journeys++;
        else if (frame.type === "message") hooks.onMessage(frame);
        else state.apply(frame);
      }
    },
    end: () => decoder.end(),
    drained: () => writer.drained(),
    close: async () => undefined,
  };
}
