import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { RequestFrame } from "../../exporter/decode/frame.js";
import { type Certificates, makeCertificates } from "../lib/make-certificates.js";
import { whyNotLive } from "../lib/require-live.js";
import { skbspanPath, startSkbspan } from "../lib/run-skbspan.js";
import { type RequestTrace, startRequestTrace } from "./start-request-trace.js";

const skip = whyNotLive() || whyNoLibraries();
const PATIENCE_MS = 120_000;

let certificates: Certificates;
let server: ChildProcess;
let port: number;
let trace: RequestTrace;
if (!skip) {
  before(async () => {
    certificates = makeCertificates();
    const { keyFile, certificateFile } = certificates.createAuthority("authority").issue("server");
    server = spawn(process.execPath, [applicationPath("tls-server"), keyFile, certificateFile], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    port = Number(await firstLine(server));
    // Node.js runs, and is found; curl and openssl do not run yet.
    trace = await startRequestTrace(["--join-sources", "tls", "--tls-libraries", findLibrary()]);
  });
  after(async () => {
    server.kill();
    certificates.remove();
    await trace.stop();
  });
}

const traceparent = `00-${"0".repeat(31)}1-${"0".repeat(15)}1-01`;

const LARGE_BODY = "x".repeat(300_000);

/** What is sent has the body on standard input. */
const clients: readonly { readonly title: string; readonly args: readonly string[]; readonly body?: string }[] = [
  { title: "HTTP/1.1, TLS 1.3", args: ["--http1.1"] },
  { title: "HTTP/2, TLS 1.3", args: ["--http2"] },
  { title: "HTTP/1.1, TLS 1.2", args: ["--http1.1", "--tls-max", "1.2"] },
  {
    title: "a cipher whose records are padded",
    args: ["--http1.1", "--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"],
  },
  {
    title: "a request of many records",
    args: ["--http1.1", "-H", "expect:", "--data-binary", "@-"],
    body: LARGE_BODY,
  },
];

for (const { title, args, body = "" } of clients)
  test(`curl, ${title}: a request and its response`, { skip }, async () => {
    const told = await during(() => {
      const common = ["-sk", "-H", `traceparent: ${traceparent}`, `https://127.0.0.1:${port}/`];
      const result = spawnSync("curl", [...args, ...common], { encoding: "utf8", timeout: PATIENCE_MS, input: body });
      assert.equal(result.stdout, "an answer\n", result.stderr);
    });
    assert.deepEqual(told, { sent: [1], received: [1], answered: [1] });
  });

test("openssl s_client: a request and its response", { skip }, async () => {
  const told = await during(() => {
    const input = `GET / HTTP/1.1\r\nhost: x\r\ntraceparent: ${traceparent}\r\nconnection: close\r\n\r\n`;
    const args = ["s_client", "-quiet", "-alpn", "http/1.1", "-connect", `127.0.0.1:${port}`];
    const { stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8", timeout: PATIENCE_MS, input });
    assert.match(stdout, /an answer/, stderr);
  });
  assert.deepEqual(told, { sent: [1], received: [1], answered: [1] });
});

const pythonClient = `
import ssl, sys, http.client
context = ssl._create_unverified_context()
connection = http.client.HTTPSConnection("127.0.0.1", int(sys.argv[1]), context=context)
connection.request("GET", "/", headers={"traceparent": sys.argv[2]})
sys.stdout.write(connection.getresponse().read().decode())
`;
const hasPython = spawnSync("python3", ["-c", "import ssl"]).status === 0;

test("Python, which calls SSL_write_ex and SSL_read_ex: a request and its response", {
  skip: skip || (hasPython ? false : "SKIPPED, python3 is missing"),
}, async () => {
  const told = await during(() => {
    const args = ["-c", pythonClient, String(port), traceparent];
    const { stdout, stderr } = spawnSync("python3", args, { encoding: "utf8", timeout: PATIENCE_MS });
    assert.equal(stdout, "an answer\n", stderr);
  });
  assert.deepEqual(told, { sent: [1], received: [1], answered: [1] });
});

test("Node.js, HTTP/1.1: requests one after the other on a connection, one without a trace context", {
  skip,
}, async () => {
  const told = await during(() => runClient("http1"));
  const numbers = [1, undefined, 2];
  assert.deepEqual(told, { sent: numbers, received: numbers, answered: numbers });
});

test("Node.js, HTTP/2: what answers several requests at once is nobody's", { skip }, async () => {
  const { sent, received, answered } = await during(() => runClient("http2"));
  for (const numbers of [sent, received, answered]) {
    assert.equal(numbers[0], 1);
    assert.equal(numbers.at(-1), 4);
  }
  assert.ok(sent.includes(2), String(sent));
  assert.ok(received.includes(undefined) && !received.includes(3), String(received));
  assert.ok(answered.includes(2), String(answered));
});

test("what the thread writes to another socket after SSL_write is not taken for its record", { skip }, async () => {
  let line = "";
  await during(async () => {
    line = await runClient("elsewhere");
  });
  const [otherPort, held] = line.split(" ").map(Number);
  assert.ok(held, "the client has held the record back");
  assert.deepEqual(framesOf(otherPort ?? 0), []);
});

test("journeys of TLS's packets join the application's span", { skip, timeout: 3 * PATIENCE_MS }, async () => {
  const sources = ["--join-sources", "tls", "--tls-libraries", findLibrary()];
  const skbspan = startSkbspan(["trace", `tcp port ${port}`, ...sources, "--export", "json"], {
    timeoutMs: 2 * PATIENCE_MS,
  });
  await skbspan.untilStderr(/requests are seen/);
  const args = ["-sk", "-H", `traceparent: ${traceparent}`, `https://127.0.0.1:${port}/`];
  spawnSync("curl", args, { timeout: PATIENCE_MS });
  const isJoined = /"journey\.request\.source","value":\{"stringValue":"tls"/;
  await skbspan.untilStdout(isJoined);
  skbspan.child.kill("SIGINT");
  const { code, stdout, stderr } = await skbspan.result;
  assert.equal(code, 0, stderr);
  const joined = stdout.split("\n").filter((line) => isJoined.test(line));
  assert.ok(joined.some((line) => line.includes(`"traceId":"${"0".repeat(31)}1"`)));
  assert.ok(joined.some((line) => line.includes(`"parentSpanId":"${"0".repeat(15)}1"`)));
});

interface Told {
  /** Of the client's bytes, where they are written. */
  readonly sent: (number | undefined)[];
  /** Of the server's bytes, by the client. */
  readonly received: (number | undefined)[];
  /** Of the server's bytes, where they are written. */
  readonly answered: (number | undefined)[];
}

/** What was told of the server's connections while this ran, of each direction whose bytes they were one after the other. */
async function during(work: () => unknown): Promise<Told> {
  const earlier = trace.requests.length;
  await work();
  await trace.settle();
  const frames = trace.requests.slice(earlier).filter((frame) => isOf(frame, port));
  const numbers = (wanted: (frame: RequestFrame) => boolean): (number | undefined)[] =>
    frames.filter(wanted).map(numberOf);
  return {
    sent: numbers(({ destinationPort }) => destinationPort === port),
    received: numbers(({ sourcePort, isReceived }) => sourcePort === port && isReceived),
    answered: numbers(({ sourcePort, isReceived }) => sourcePort === port && !isReceived),
  };
}

function numberOf({ source, traceId, spanId, traceFlags, isPending }: RequestFrame): number | undefined {
  assert.equal(isPending, false);
  if (source === "none") return undefined;
  assert.equal(source, "tls");
  assert.equal(traceFlags, 1);
  assert.equal(traceId[15], spanId[7]);
  return traceId[15];
}

function isOf({ sourcePort, destinationPort }: RequestFrame, wanted: number): boolean {
  return sourcePort === wanted || destinationPort === wanted;
}

function framesOf(wanted: number): RequestFrame[] {
  return trace.requests.filter((frame) => isOf(frame, wanted));
}

/** Returns its first line, "" when it says nothing. */
async function runClient(kind: string): Promise<string> {
  const client = spawn(process.execPath, [applicationPath("tls-client"), kind, String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: PATIENCE_MS,
  });
  const lines: string[] = [];
  createInterface(client.stdout).on("line", (line) => lines.push(line));
  const closed = once(client, "close");
  client.stdin.end("\n");
  const [code] = (await closed) as [number | null];
  assert.equal(code, 0);
  return lines[0] ?? "";
}

async function firstLine(process: ChildProcess): Promise<string> {
  assert.ok(process.stdout);
  const [line] = (await once(createInterface(process.stdout), "line")) as [string];
  return line;
}

function applicationPath(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}

/** curl's own. */
function findLibrary(): string {
  const { stdout } = spawnSync("sh", ["-c", 'ldd "$(command -v curl)"'], { encoding: "utf8" });
  return /(\/\S*libssl\.so\S*)/.exec(stdout)?.[1] ?? "";
}

function whyNoLibraries(): string | false {
  const { stdout } = spawnSync(process.execPath, [skbspanPath, "doctor", "--json"], { encoding: "utf8" });
  const line = stdout.split("\n").find((text) => text.includes('"requests.tls"')) ?? "{}";
  const { answer, reason } = JSON.parse(line) as { answer?: string; reason?: string };
  if (answer !== "yes") return `SKIPPED, this kernel cannot look into libraries: ${reason}`;
  return findLibrary() === "" ? "SKIPPED, curl is missing, or has another TLS library than OpenSSL" : false;
}
