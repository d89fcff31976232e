import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { RequestFrame } from "../../exporter/decode/frame.js";
import { whyNotLive } from "../lib/require-live.js";
import { type RequestTrace, startRequestTrace } from "./start-request-trace.js";

/** thread_context_writer.c in all the ways that the variable can be found; the last where the compiler knows it. */
const writers = ["static", "gnu", "initial-exec", "descriptor"].filter((name) => existsSync(writerPath(name)));
const skip = process.arch !== "x64" ? "SKIPPED, threads' own variables are found on x86-64 only" : whyNotLive();
const LINE_BYTES = "a line that is no HTTP\n".length;
const ANSWER_BYTES = "an answer\n".length;

/** What is published for each line, and whose the line then is. Nothing valid: the lines after the first are nobody's again. */
const lines: readonly (readonly [name: string, number: number | undefined])[] = [
  ["none", undefined],
  ["valid:1", 1],
  ["valid:1", 1],
  ["valid:2", 2],
  ["invalid", undefined],
  ["valid:3", 3],
  ["zero", undefined],
  ["valid:4", 4],
  ["half", undefined],
  ["valid:5", 5],
  ["garbage", undefined],
  ["unmapped", undefined],
  ["kernel", undefined],
  ["odd", undefined],
  ["unsampled:6", 6],
  ["none", undefined],
];

interface Writer {
  readonly process: ChildProcess;
  readonly port: number;
}

const running = new Map<string, Writer>();
let trace: RequestTrace;
if (!skip) {
  before(async () => {
    // They run before the tracer looks: what a library of a process has is not known later.
    for (const name of writers) running.set(name, await startWriter(name));
    trace = await startRequestTrace(["--join-sources", "thread"]);
  });
  after(async () => {
    for (const { process: writer } of running.values()) writer.kill();
    await trace.stop();
  });
}

for (const name of ["static", "gnu", "initial-exec"])
  test(`the program thread-context-${name} is built: make -C bpf tests`, { skip }, () => {
    assert.ok(writers.includes(name));
  });

for (const name of writers)
  test(`a thread's lines belong to the trace context that it has published (${name})`, { skip }, async () => {
    const writer = running.get(name);
    assert.ok(writer);
    await finish(writer.process);
    await trace.settle();
    assertLines(writer.port);
  });

test("a process that starts later is known by its executable", { skip }, async () => {
  const writer = await startWriter("static");
  await finish(writer.process);
  await trace.settle();
  assertLines(writer.port);
});

function assertLines(port: number): void {
  const frames = trace.requests.filter(({ sourcePort, destinationPort }) =>
    [sourcePort, destinationPort].includes(port),
  );
  const sent = frames.filter(({ destinationPort }) => destinationPort === port);
  const answers = frames.filter(({ sourcePort }) => sourcePort === port);
  const changes = changesOf(lines.map(([, number]) => number));
  assert.deepEqual(rangesOf(sent, changes[0]?.[0] ?? 0, LINE_BYTES), changes);
  assert.deepEqual(rangesOf(answers, changes[0]?.[0] ?? 0, ANSWER_BYTES), changes);
  assert.ok(sent.every(({ isResponse, isReceived }) => !isResponse && !isReceived));
  assert.ok(answers.every(({ isResponse, isReceived }) => isResponse && isReceived));
  const unsampled = sent.find(({ traceId }) => traceId[0] === 6);
  assert.deepEqual([sent[0]?.traceFlags, unsampled?.traceFlags], [1, 0]);
}

type Changes = readonly (readonly [line: number, number: number | undefined])[];

/** The lines at which it changes whose they are; before the first they are nobody's. */
function changesOf(numbers: readonly (number | undefined)[]): Changes {
  return numbers.flatMap((number, line) => (number === numbers[line - 1] ? [] : [[line, number] as const]));
}

/** The same from what was told, whose first frame is at `firstLine`. */
function rangesOf(frames: readonly RequestFrame[], firstLine: number, lineBytes: number): Changes {
  const first = frames[0]?.sequence ?? 0;
  return frames.map(({ sequence, source, traceId, spanId }) => {
    const line = firstLine + ((sequence - first) >>> 0) / lineBytes;
    if (source === "none") return [line, undefined];
    assert.equal(source, "thread");
    const number = traceId[0] ?? 0;
    assert.ok([...traceId, ...spanId].every((byte) => byte === number));
    return [line, number];
  });
}

function writerPath(name: string): string {
  return fileURLToPath(new URL(`../../../build/tests/thread-context-${name}`, import.meta.url));
}

/** It has said its port and waits. */
async function startWriter(name: string): Promise<Writer> {
  const names = lines.map(([line]) => line);
  const writer = spawn(writerPath(name), names, { stdio: ["pipe", "pipe", "inherit"] });
  const failed = once(writer, "exit").then(([code]) => {
    throw new Error(`thread-context-${name} ended with code ${String(code)}`);
  });
  failed.catch(() => {}); // it ends at last
  const [port] = await Promise.race([once(createInterface(writer.stdout), "line") as Promise<[string]>, failed]);
  return { process: writer, port: Number(port) };
}

async function finish(writer: ChildProcess): Promise<void> {
  const ended = once(writer, "exit");
  writer.stdin?.end("\n");
  const [code] = (await ended) as [number | null];
  assert.equal(code, 0);
}
