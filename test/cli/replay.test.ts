import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { buildExampleRecording } from "../lib/example-recording.js";
import { runSkbspan, startSkbspan } from "../lib/run-skbspan.js";

const directory = mkdtempSync(join(tmpdir(), "skbspan-replay-"));
after(() => rmSync(directory, { recursive: true }));

function write(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

const bytes = buildExampleRecording(9);
const recording = write("nine.skbspan", bytes);

/** No message may look like a program that broke. */
function assertNoTrace(stderr: string): void {
  assert.doesNotMatch(stderr, /^\s+at |node:internal|should not/m);
}

test("every journey is shown, and the end says what was seen, kept and lost", async () => {
  const { code, stdout, stderr } = await runSkbspan(["replay", recording]);
  assert.equal(code, 0);
  assert.equal(stdout.match(/10\.0\.0\.1:400\d\d -> 10\.0\.0\.2:80/g)?.length, 9);
  assert.equal(stdout.match(/NETFILTER_DROP/g)?.length, 3);
  assert.match(stderr, /^skbspan: 9 journeys, \d+ spans of the recording$/m);
  assert.match(stderr, /^ {2}seen: 9 journeys begun/m);
  assert.match(stderr, /^ {2}kept: 9; ended: 6 delivered, 3 dropped$/m);
  assert.match(stderr, /^ {2}lost: 1,234 journeys: the ring buffer was full \(raise --ring-size/m);
});

test("trace and drops read a recording in place of the kernel, and so does standard input", async () => {
  const traced = await runSkbspan(["trace", "--from", recording]);
  assert.match(traced.stderr, /^skbspan: 9 journeys/m);
  const dropped = await runSkbspan(["drops", "--from", "-"], { input: bytes });
  assert.equal(dropped.code, 0);
  assert.match(dropped.stderr, /^skbspan: 3 journeys/m);
  const functions = await runSkbspan(["functions", "^tcp", "--json", "--from", recording]);
  assert.deepEqual(JSON.parse(functions.stdout), {
    name: "tcp_v4_rcv",
    symbol: "tcp_v4_rcv",
    module: "",
    argument: 1,
    attachable: true,
    chosen: true,
  });
});

test("--dropped-only, --min-duration, --keep-drops and -n choose among what was recorded", async () => {
  assert.match((await runSkbspan(["replay", recording, "--dropped-only"])).stderr, /^skbspan: 3 journeys/m);
  assert.match((await runSkbspan(["replay", recording, "--min-duration", "8us"])).stderr, /^skbspan: 2 journeys/m);
  const droppedOrSlow = await runSkbspan(["replay", recording, "--min-duration", "8us", "--keep-drops"]);
  assert.match(droppedOrSlow.stderr, /^skbspan: 5 journeys/m);
  assert.equal(droppedOrSlow.stdout.match(/NETFILTER_DROP/g)?.length, 3);
  const { code, stderr } = await runSkbspan(["replay", recording, "-n", "2"]);
  assert.equal(code, 0);
  assert.match(stderr, /^skbspan: 2 journeys/m);
});

test("--detail shows layers in place of functions, or the journeys alone; the drop and its reason stay", async () => {
  const layers = await runSkbspan(["replay", recording, "--detail", "layers"]);
  assert.match(layers.stdout, /layer: ip, 1 hop/);
  assert.doesNotMatch(layers.stdout, /ip_rcv/);
  assert.equal(layers.stdout.match(/<-- dropped here/g)?.length, 3);
  const summary = await runSkbspan(["replay", recording, "--detail", "summary"]);
  assert.match(summary.stderr, /^skbspan: 9 journeys, 9 spans/m);
  assert.equal(summary.stdout.match(/dropped: NETFILTER_DROP/g)?.length, 3);
  assert.match(summary.stdout, /hops in .*ip: 1/);
  const piped = await runSkbspan(["trace", "--from", "-", "--detail", "summary"], { input: bytes });
  assert.equal(piped.stdout, summary.stdout);
});

test("within limits: less detail, then fewer journeys, all of it told; drops stay", async () => {
  const { code, stdout, stderr } = await runSkbspan(["replay", recording, "--max-spans-per-second", "4"]);
  assert.equal(code, 0);
  assert.equal(stdout.match(/dropped: NETFILTER_DROP/g)?.length, 3);
  const kept = Number(/^skbspan: (\d) journeys/m.exec(stderr)?.[1]);
  assert.ok(kept < 9, stderr);
  const leftOut = new RegExp(`^ {2}to stay within --max-\\*-per-second: .*left out ${9 - kept} \\(`, "m");
  assert.match(stderr, leftOut);
});

test("--quiet tells losses alone", async () => {
  const { stderr } = await runSkbspan(["replay", recording, "--quiet"]);
  assert.match(stderr, /^ {2}lost: 1,234 journeys: [^\n]*\n$/);
});

test("--export json writes a line of OTLP/JSON a journey, and nothing else", async () => {
  const { code, stdout } = await runSkbspan(["replay", recording, "--export", "json"]);
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 9);
  for (const line of lines) assert.ok(Array.isArray(JSON.parse(line).resourceSpans));
});

test("a recording that is cut: what is there is shown, then the place of the cut; exit 6", async () => {
  const { code, stdout, stderr } = await runSkbspan(["replay", write("cut.skbspan", bytes.subarray(0, 1500))]);
  assert.equal(code, 6);
  assert.match(stdout, /10\.0\.0\.1:40000 -> 10\.0\.0\.2:80/);
  assert.match(stderr, /skbspan: error: Cannot read .*cut\.skbspan, byte 1500: The stream was cut after 1500 bytes/);
  assertNoTrace(stderr);
});

test("what is no recording is told from a recording of another version; exit 6", async () => {
  const other = Buffer.from(bytes);
  other.writeUInt16LE(7, 8);
  const cases: [string, Uint8Array, RegExp][] = [
    ["foreign", Buffer.from("\x7fELF and so on, an executable"), /not a skbspan stream/],
    ["version", other, /format 7.*use the skbspan that recorded it/],
    ["empty", Buffer.alloc(0), /The stream is empty/],
  ];
  for (const [name, content, message] of cases) {
    const { code, stdout, stderr } = await runSkbspan(["replay", write(name, content)]);
    assert.equal(code, 6, name);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assertNoTrace(stderr);
  }
});

test("random bytes, alone and inside a recording, give a message and no more", async () => {
  let seed = 12345;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % below;
  };
  for (let round = 0; round < 6; round++) {
    const damaged = Buffer.from(bytes);
    const start = round === 0 ? 0 : random(damaged.length - 64);
    for (let at = start; at < start + 64; at++) damaged[at] = random(256);
    const { code, stderr } = await runSkbspan(["replay", write("random", damaged)]);
    assert.ok(code === 6 || code === 0, `round ${round} (at ${start}): exit ${code}\n${stderr}`);
    assertNoTrace(stderr);
  }
});

test("a file that is not there, or is a directory: exit 1 and why", async () => {
  const missing = await runSkbspan(["replay", join(directory, "none")]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /Cannot read the recording .*none: there is no such file/);
  assert.match((await runSkbspan(["replay", directory])).stderr, /it is a directory/);
});

test("a reader that has had enough (| head) ends the command at once, without a word", async () => {
  const large = write("large.skbspan", buildExampleRecording(20_000));
  const running = startSkbspan(["replay", large, "--export", "json"]);
  await running.untilStdout(/resourceSpans/);
  running.child.stdout?.destroy();
  const { code, stderr } = await running.result;
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /error|EPIPE/);
  const kept = Number(/^skbspan: ([\d,]+) journeys/m.exec(stderr)?.[1]?.replaceAll(",", ""));
  assert.ok(kept < 20_000, `it read on to the end: ${stderr}`);
});

test("a full disk on standard output: exit 1 and why", async () => {
  const full = openSync("/dev/full", "w");
  try {
    const { code, stderr } = await runSkbspan(["replay", recording], { stdout: full });
    assert.equal(code, 1);
    assert.match(stderr, /Cannot write to standard output: no space is left on the disk/);
    assertNoTrace(stderr);
  } finally {
    closeSync(full);
  }
});

test("a collector that is not there: one message with its address, the count of what is lost, exit 1", async () => {
  const { code, stdout, stderr } = await runSkbspan(
    ["replay", recording, "--export", "otlp", "--flush-timeout", "2s"],
    {
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
    },
  );
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.equal(stderr.match(/^skbspan: warning: cannot send to 127\.0\.0\.1:1/gm)?.length, 1, stderr);
  assert.match(stderr, /lost: \d+ journeys? \(\d+ spans\) not exported by otlp/);
  assert.match(stderr, /skbspan: error: No span reached the collector: all \d+ are lost\./);
  assertNoTrace(stderr);
});

test("Ctrl-C while reading a recording that does not end is a clean end", async () => {
  const running = startSkbspan(["replay", "-"]);
  running.child.stdin?.write(bytes.subarray(0, bytes.length - 100));
  await running.untilStdout(/NETFILTER_DROP/);
  running.child.kill("SIGINT");
  const { code, stderr } = await running.result;
  assert.equal(code, 0);
  assert.match(stderr, /^skbspan: \d journeys/m);
});

test("an endpoint that is no URL: exit 2, the variable and what it should be", async () => {
  const { code, stderr } = await runSkbspan(["replay", recording, "--export", "otlp"], {
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "not a url" },
  });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^skbspan: error: Cannot export over OTLP: OTEL_EXPORTER_OTLP_ENDPOINT is "not a url"\.\n.* it has to be a URL such as http:/,
  );
});
