import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RequestFrame } from "../../exporter/decode/frame.js";
import { whyNotLive } from "../lib/require-live.js";
import { type Exchange, type ExchangePorts, exchange } from "./exchange.js";
import { exchangeStreams } from "./exchange-streams.js";
import { type RequestTrace, startRequestTrace } from "./start-request-trace.js";

/** Nobody else's on this machine. */
const ADDRESS = "127.84.66.1";
const SECRET = `secret-${process.pid}-payload`;
const skip = whyNotLive();

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0");
const traceparent = (number: number, flags = "01"): string => `00-${hex(number, 32)}-${hex(number, 16)}-${flags}`;

function get(number: number | undefined, path = "/"): string {
  const header = number === undefined ? "" : `traceparent: ${traceparent(number)}\r\n`;
  return `GET ${path} HTTP/1.1\r\nhost: ${SECRET}\r\n${header}accept: */*\r\n\r\n`;
}

function answer(body = SECRET, status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Where in a direction's bytes it changes whose they are; undefined: nobody's. */
type Ranges = readonly (readonly [offset: number, number: number | undefined])[];

interface Case {
  readonly title: string;
  readonly exchange: Exchange;
  readonly requests: Ranges;
  readonly responses: Ranges;
}

const a = get(1);
const plain = get(undefined);
const longPath = `/${"x".repeat(3_900)}`;
const fake = `GET /fake HTTP/1.1\r\ntraceparent: ${traceparent(99)}\r\n\r\n`;
const post = (number: number, body: string): string =>
  `POST /form HTTP/1.1\r\ntraceparent: ${traceparent(number)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const chunked = (number: number, parts: readonly string[]): string =>
  `PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\nTraceParent:${traceparent(number)}\r\n\r\n` +
  `${parts.map((part) => `${part.length.toString(16)};x=y\r\n${part}\r\n`).join("")}0\r\n\r\n`;
const head = `HEAD / HTTP/1.1\r\ntraceparent: ${traceparent(1)}\r\n\r\n`;
const headAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n";
const upgrade = `GET /socket HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\ntraceparent: ${traceparent(5)}\r\n\r\n`;
const switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";

const cases: readonly Case[] = [
  {
    title: "a request and its response, each written at once",
    exchange: { client: [{ bytes: a }], server: [{ bytes: answer(), afterReading: a.length }] },
    requests: [[0, 1]],
    responses: [[0, 1]],
  },
  {
    title: "a header that is split across many writes, in the middle of the name and of the value",
    exchange: {
      client: split(a, [3, 20, a.indexOf("traceparent") + 5, a.indexOf("00-") + 20, a.length - 3]).map((bytes) => ({
        bytes,
      })),
      server: [{ bytes: answer(), afterReading: a.length }],
    },
    requests: [[0, 1]],
    responses: [[0, 1]],
  },
  {
    title: "a header in many pieces of one write (writev)",
    exchange: {
      client: [{ bytes: split(a, [1, 2, 5, 9, 20, 33, 40, a.indexOf("00-") + 3, a.length - 2]) }],
      server: [{ bytes: split(answer(), [4, 9, 30]), afterReading: a.length }],
    },
    requests: [[0, 1]],
    responses: [[0, 1]],
  },
  {
    title: "a header after nearly 4 KB of others",
    exchange: {
      client: [{ bytes: get(2, longPath) }],
      server: [{ bytes: answer(), afterReading: get(2, longPath).length }],
    },
    requests: [[0, 2]],
    responses: [[0, 2]],
  },
  {
    title: "requests one after another on a connection, one of them without a trace context",
    exchange: {
      client: [
        { bytes: a },
        { bytes: plain, afterReading: answer().length },
        { bytes: get(3), afterReading: 2 * answer().length },
      ],
      server: [
        { bytes: answer(), afterReading: a.length },
        { bytes: answer(), afterReading: a.length + plain.length },
        { bytes: answer(), afterReading: a.length + plain.length + get(3).length },
      ],
    },
    requests: [
      [0, 1],
      [a.length, undefined],
      [a.length + plain.length, 3],
    ],
    responses: [
      [0, 1],
      [answer().length, undefined],
      [2 * answer().length, 3],
    ],
  },
  {
    title: "requests that do not wait for responses (pipelining)",
    exchange: {
      client: [{ bytes: a + get(2) + get(3) }],
      server: [
        { bytes: answer(), afterReading: a.length + get(2).length + get(3).length },
        { bytes: "HTTP/1.1 100 Continue\r\n\r\n" },
        { bytes: answer("two") + answer("three") },
      ],
    },
    requests: [
      [0, 1],
      [a.length, 2],
      [a.length + get(2).length, 3],
    ],
    responses: [
      [0, 1],
      [answer().length, 2],
      [answer().length + "HTTP/1.1 100 Continue\r\n\r\n".length + answer("two").length, 3],
    ],
  },
  {
    title: "a body that looks like a request",
    exchange: {
      client: [
        { bytes: post(1, fake).slice(0, -fake.length) },
        { bytes: fake },
        { bytes: chunked(2, [fake, fake + fake]), afterReading: answer(fake).length },
        { bytes: get(3), afterReading: 2 * answer(fake).length },
      ],
      server: [
        { bytes: answer(fake), afterReading: post(1, fake).length },
        { bytes: answer(fake), afterReading: post(1, fake).length + chunked(2, [fake, fake + fake]).length },
        {
          bytes: answer(),
          afterReading: post(1, fake).length + chunked(2, [fake, fake + fake]).length + get(3).length,
        },
      ],
    },
    requests: [
      [0, 1],
      [post(1, fake).length, 2],
      [post(1, fake).length + chunked(2, [fake, fake + fake]).length, 3],
    ],
    responses: [
      [0, 1],
      [answer(fake).length, 2],
      [2 * answer(fake).length, 3],
    ],
  },
  {
    title: "the response to HEAD has no body",
    exchange: {
      client: [{ bytes: head }, { bytes: get(2), afterReading: headAnswer.length }],
      server: [
        { bytes: headAnswer, afterReading: head.length },
        { bytes: answer(), afterReading: head.length + get(2).length },
      ],
    },
    requests: [
      [0, 1],
      [head.length, 2],
    ],
    responses: [
      [0, 1],
      [headAnswer.length, 2],
    ],
  },
  {
    title: "a WebSocket: all that follows belongs to the request that opened it",
    exchange: {
      client: [{ bytes: upgrade }, { bytes: fake, afterReading: switching.length }],
      server: [
        { bytes: switching, afterReading: upgrade.length },
        { bytes: answer("not http"), afterReading: upgrade.length + fake.length },
      ],
    },
    requests: [[0, 5]],
    responses: [[0, 5]],
  },
  {
    title: "two trace contexts in one request are none",
    exchange: {
      client: [
        { bytes: a },
        {
          bytes: `GET / HTTP/1.1\r\ntraceparent: ${traceparent(2)}\r\ntraceparent: ${traceparent(3)}\r\n\r\n`,
          afterReading: answer().length,
        },
      ],
      server: [
        { bytes: answer(), afterReading: a.length },
        { bytes: answer(), afterReading: a.length + 100 },
      ],
    },
    requests: [
      [0, 1],
      [a.length, undefined],
    ],
    responses: [
      [0, 1],
      [answer().length, undefined],
    ],
  },
  {
    title: "what is not HTTP is not looked at",
    exchange: {
      client: [{ bytes: `\x00\x01SELECT '${fake}'` }],
      server: [{ bytes: `\x16\x03\x01${fake}`, afterReading: 10 }],
    },
    requests: [],
    responses: [],
  },
  {
    title: "requests without any trace context are not told of",
    exchange: { client: [{ bytes: plain }], server: [{ bytes: answer(), afterReading: plain.length }] },
    requests: [],
    responses: [],
  },
];

function split(text: string, at: readonly number[]): string[] {
  return [0, ...at].map((start, index) => text.slice(start, at[index]));
}

let trace: RequestTrace;
const ports = new Map<Case, ExchangePorts>();
if (!skip) {
  // All at once: whether something more is told shows only after a while, for which they wait together.
  before(async () => {
    trace = await startRequestTrace();
    await Promise.all(cases.map(async (item) => ports.set(item, await exchange(ADDRESS, item.exchange))));
    // What is missing then, the tests below say.
    await trace
      .until("as much is told as is expected", () => cases.every((item) => told(item).length >= wanted(item).length))
      .catch(() => {});
    await trace.settle();
  });
  after(() => trace.stop());
}

for (const item of cases) test(item.title, { skip }, () => assert.deepEqual(told(item).toSorted(), wanted(item)));

function wanted({ requests, responses }: Case): string[] {
  return [...tellRanges(requests, "request"), ...tellRanges(responses, "response")].toSorted();
}

/** As each end of the connection tells it. */
function tellRanges(ranges: Ranges, part: string): string[] {
  return ["written", "read"].flatMap((where) =>
    ranges.map(([offset, number]) => `${part} ${where} from ${offset}: ${number ?? "nobody's"}`),
  );
}

/** What was told of a connection. The first of a direction begins with its first byte in every case here. */
function told(item: Case): string[] {
  return toldOn(ports.get(item) ?? { clientPort: 0, serverPort: 0 });
}

function toldOn({ clientPort, serverPort }: ExchangePorts): string[] {
  const origins = new Map<string, number>();
  return trace.requests
    .filter(({ sourcePort, destinationPort }) => [sourcePort, destinationPort].every((port) => isOf(port)))
    .filter(({ isPending }) => !isPending)
    .map((frame) => {
      const part = frame.sourcePort === clientPort ? "request" : "response";
      const key = `${part} ${frame.isReceived ? "read" : "written"}`;
      const origin = origins.get(part) ?? frame.sequence;
      origins.set(part, origin);
      assert.equal(frame.sourceAddress, ADDRESS);
      return `${key} from ${(frame.sequence - origin) >>> 0}: ${numberOf(frame) ?? "nobody's"}`;
    });

  function isOf(port: number): boolean {
    return port === clientPort || port === serverPort;
  }
}

function numberOf({ traceId, spanId, source }: RequestFrame): number | undefined {
  if (source === "none") return undefined;
  const number = Buffer.from(traceId).readUInt32BE(12);
  assert.equal(Buffer.from(spanId).readUInt32BE(4), number);
  return number;
}

test("streams of one HTTP/2 connection are told apart", { skip, timeout: 180_000 }, async () => {
  const numbers = Array.from({ length: 12 }, (_, index) => 101 + index);
  const ports = await exchangeStreams(ADDRESS, [
    { headers: { "x-plain": SECRET } },
    ...numbers.map((number) => ({ headers: { traceparent: traceparent(number), "x-secret": SECRET }, body: fake })),
  ]);
  const seen = (part: string, isReceived: boolean): number[] =>
    trace.requests
      .filter(
        (frame) =>
          frame.isReceived === isReceived &&
          frame[part === "request" ? "sourcePort" : "destinationPort"] === ports.clientPort &&
          frame[part === "request" ? "destinationPort" : "sourcePort"] === ports.serverPort,
      )
      .flatMap((frame) => numberOf(frame) ?? []);
  const isComplete = (part: string, isReceived: boolean): boolean => new Set(seen(part, isReceived)).size === 12;
  const ends = ["request", "response"].flatMap((part) =>
    [true, false].map((isReceived) => [part, isReceived] as const),
  );
  await trace.until("every stream is told", () => ends.every(([part, isReceived]) => isComplete(part, isReceived)));
  await trace.settle();
  for (const [part, isReceived] of ends)
    assert.deepEqual(
      [...new Set(seen(part, isReceived))].toSorted((left, right) => left - right),
      numbers,
    );
  // What can no longer be followed is told to be nobody's, and of no stream.
  const isOurs = ({ sourcePort, destinationPort }: RequestFrame): boolean =>
    [sourcePort, destinationPort].includes(ports.clientPort);
  assert.deepEqual(
    trace.requests.filter(
      (frame) => isOurs(frame) && !frame.isPending && frame.source === "none" && frame.stream === 0,
    ),
    [],
  );
});

test("bodies that the kernel takes from a file (sendfile) are passed over", { skip, timeout: 180_000 }, async () => {
  const bytes = 300_000;
  const header = (number: number): string =>
    `PUT / HTTP/1.1\r\ncontent-length: ${bytes}\r\ntraceparent: ${traceparent(number)}`;
  const requestBytes = header(201).length + 4 + bytes;
  const listener = createServer((socket) => {
    let read = 0;
    socket.on("data", (chunk) => {
      const before = Math.floor(read / requestBytes);
      read += chunk.length;
      if (Math.floor(read / requestBytes) > before) socket.write(answer());
    });
  });
  listener.listen(0, ADDRESS);
  await once(listener, "listening");
  const { port: serverPort } = listener.address() as AddressInfo;
  try {
    const program = fileURLToPath(new URL("../../../build/tests/send-file", import.meta.url));
    const args = [ADDRESS, String(serverPort), String(bytes), header(201), header(202)];
    const { stdout } = await promisify(execFile)(program, args);
    const connection = { clientPort: Number(stdout), serverPort };
    const expected = [
      ...tellRanges(
        [
          [0, 201],
          [requestBytes, 202],
        ],
        "request",
      ),
      ...tellRanges(
        [
          [0, 201],
          [answer().length, 202],
        ],
        "response",
      ),
    ].toSorted();
    await trace.until("both are told", () => toldOn(connection).length >= expected.length);
    await trace.settle();
    assert.deepEqual(toldOn(connection).toSorted(), expected);
  } finally {
    listener.close();
  }
});

test("payload does not leave the kernel", { skip }, () => {
  const bytes = trace.bytes();
  assert.equal(bytes.includes(SECRET), false);
  assert.equal(bytes.includes("traceparent"), false);
  assert.equal(bytes.includes("HTTP/1.1"), false);
});

test("no report was lost", { skip }, () => {
  const { requests, lostRequests } = trace.state.stats;
  assert.ok(requests > 20);
  assert.equal(lostRequests, 0);
});
