import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { buildRecording } from "../test/lib/build-recording.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../test/lib/example-recordings.js";
import { createJsonSink } from "./export/create-json-sink.js";
import { createPipeline, runPipeline } from "./pipeline.js";

function jsonLines(): { sinks: ReturnType<typeof createJsonSink>[]; lines: () => number } {
  const output = new PassThrough({ encoding: "utf8" });
  let text = "";
  output.on("data", (chunk: string) => {
    text += chunk;
  });
  return { sinks: [createJsonSink({ output })], lines: () => text.split("\n").length - 1 };
}

test("bytes in pieces become journeys at the sinks", async () => {
  const { sinks, lines } = jsonLines();
  const pipeline = createPipeline({ sinks });
  const bytes = tcpAcrossNode();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
  }
  await runPipeline(pipeline, pieces());
  await pipeline.close();
  assert.equal(pipeline.journeys, 1);
  assert.equal(lines(), 1);
  assert.equal(pipeline.state.stats.delivered, 1);
});

test("a stream that is cut gives what it had, then the error", async () => {
  const { sinks, lines } = jsonLines();
  const pipeline = createPipeline({ sinks });
  const bytes = tcpAcrossNode().subarray(0, -20);
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  await assert.rejects(runPipeline(pipeline, whole()), { name: "StreamError", code: "cut" });
  await pipeline.close();
  assert.equal(lines(), 1);
});

test("journeys that are not wanted go no further; messages reach the user", () => {
  const { sinks } = jsonLines();
  const messages: string[] = [];
  const pipeline = createPipeline({
    sinks,
    keep: (spans) => spans.isFault,
    onMessage: (message) => messages.push(message.text),
  });
  pipeline.push(tcpAcrossNode());
  assert.equal(pipeline.journeys, 0);
  const other = createPipeline({
    sinks,
    onMessage: (message) => messages.push(message.text),
    keep: (spans) => spans.isFault,
  });
  other.push(droppedSeenByTracepoints());
  assert.equal(other.journeys, 1);
  createPipeline({ sinks, onMessage: (message) => messages.push(message.text) }).push(
    buildRecording().hello().message(2, "3 functions could not be attached").bytes(),
  );
  assert.deepEqual(messages, ["3 functions could not be attached"]);
});
