import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Writable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createConsoleSink } from "../../exporter/export/create-console-sink.js";
import { createPipeline } from "../../exporter/pipeline.js";
import { benignDropSeenByEntries, droppedSeenByTracepoints, tcpAcrossNode } from "../lib/example-recordings.js";

/**
 * Recordings go through all stages and give the text that is checked in beside them. UPDATE_GOLDENS=1 writes that text
 * anew: read the difference before it is committed. A new recording in test/fixtures/recordings is a new test.
 */
const directory = fileURLToPath(new URL("../../../test/fixtures/recordings/", import.meta.url));

async function renderRecording(recording: Uint8Array): Promise<string> {
  const written: string[] = [];
  const output = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      written.push(text);
      done();
    },
  });
  const pipeline = createPipeline({ sinks: [createConsoleSink({ output, colour: false })] });
  pipeline.push(recording);
  pipeline.end();
  await pipeline.close();
  return written.join("");
}

function assertGolden(name: string, text: string): void {
  const path = `${directory}${name}.golden.txt`;
  if (process.env["UPDATE_GOLDENS"]) writeFileSync(path, text);
  assert.ok(existsSync(path), `${path} is not there: run with UPDATE_GOLDENS=1, read it, and commit it`);
  assert.equal(
    text,
    readFileSync(path, "utf8"),
    `${name} is shown differently: if that is meant, UPDATE_GOLDENS=1 accepts it`,
  );
}

for (const [name, build] of Object.entries({ tcpAcrossNode, droppedSeenByTracepoints, benignDropSeenByEntries }))
  test(`the hand-written recording ${name} is shown as expected`, async () => {
    assertGolden(`example-${name}`, await renderRecording(build()));
  });

const recordings = readdirSync(directory).filter((file) => file.endsWith(".skbspan"));

test("there are recordings of real kernels to replay", (context) => {
  if (recordings.length === 0) context.skip(`no *.skbspan in ${directory}: nothing from a real kernel is replayed`);
});

for (const file of recordings)
  test(`the recording ${file} is shown as expected`, async () => {
    assertGolden(file.replace(/\.skbspan$/, ""), await renderRecording(readFileSync(`${directory}${file}`)));
  });
