import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { RequestFrame } from "../../exporter/decode/frame.js";
import { createLab, type Lab } from "../../exporter/demo/lab/create-lab.js";
import { whyNotLive } from "../lib/require-live.js";
import { buildTcpFrame } from "./build-tcp-frame.js";
import { type RequestTrace, startRequestTrace } from "./start-request-trace.js";

/** Trace context that packets carry or datagrams tell, and the hostile kind of both. */

const skip = whyNotLive();
const ADDRESS = "127.85.66.1";
const DISCARD_PORT = 9;
const CLOSED_PORT = 81;
const HOSTILE_FRAMES = 400;

let trace: RequestTrace;
let lab: Lab;
let sender: Socket;
if (!skip) {
  before(async () => {
    lab = await createLab();
    await Promise.all(["a", "b"].map((namespace) => lab.addNamespace(namespace)));
    await lab.connect(
      { namespace: "a", interface: "eth0", address: "10.9.1.2/24" },
      { namespace: "b", interface: "eth0", address: "10.9.1.3/24" },
    );
    sender = createSocket("udp4");
    sender.bind(0, ADDRESS);
    await once(sender, "listening");
    trace = await startRequestTrace(["--probes", "core", "--filter", "net 10.9.1.0/24 or net 127.85.0.0/16"]);
  });
  after(async () => {
    await trace.stop();
    sender.close();
    await lab.close();
  });
}

const traceId = (number: number): Buffer => Buffer.from(number.toString(16).padStart(32, "0"), "hex");
const spanId = (number: number): Buffer => Buffer.from(number.toString(16).padStart(16, "0"), "hex");
/** As OpenTelemetry's eBPF instrumentation writes it. */
const traceOption = (number: number): Buffer => Buffer.concat([Buffer.from([25, 26]), traceId(number), spanId(number)]);
const padded = (options: Buffer): Buffer => Buffer.concat([options, Buffer.alloc((4 - (options.length % 4)) % 4, 1)]);

/** Sends segments to a closed port of the other namespace; the first has the source port 2000. */
async function sendSegments(segments: readonly { options: Buffer; dataOffset?: number }[]): Promise<void> {
  const macOf = async (namespace: string): Promise<Buffer> => {
    const [link] = JSON.parse(await lab.ip(namespace, "-j", "link", "show", "eth0")) as { address: string }[];
    return Buffer.from((link?.address ?? "").replaceAll(":", ""), "hex");
  };
  const [sourceMac, destinationMac] = await Promise.all([macOf("a"), macOf("b")]);
  const lines = segments.map((segment, index) =>
    buildTcpFrame({
      sourceMac,
      destinationMac,
      source: "10.9.1.2",
      destination: "10.9.1.3",
      sourcePort: 2000 + index,
      destinationPort: CLOSED_PORT,
      sequence: 1_000_000 + index,
      ...segment,
    }).toString("hex"),
  );
  const program = fileURLToPath(new URL("../../../build/tests/send-frames", import.meta.url));
  await lab.require("a", [program, "eth0"], { input: `${lines.join("\n")}\n` });
}

const ofSegment = (index: number): RequestFrame[] =>
  trace.requests.filter(({ sourcePort, source }) => sourcePort === 2000 + index && source === "tcp-option");

test("TCP option 25 is read, alone and behind other options", { skip, timeout: 180_000 }, async () => {
  const timestamps = Buffer.from("080a0000000100000002", "hex");
  await sendSegments([
    { options: padded(traceOption(11)) },
    { options: padded(Buffer.concat([Buffer.from([1, 1]), timestamps, traceOption(12)])) },
  ]);
  await trace.until("both are told", () => ofSegment(0).length > 0 && ofSegment(1).length > 0);
  for (const [index, number] of [11, 12].entries()) {
    const [frame] = ofSegment(index);
    assert.deepEqual(Buffer.from(frame?.traceId ?? []), traceId(number));
    assert.deepEqual(Buffer.from(frame?.spanId ?? []), spanId(number));
    assert.equal(frame?.traceFlags, 1);
    assert.equal(frame?.sequence, 1_000_000 + index);
    assert.equal(frame?.lengthBytes, "payload!".length);
    assert.equal(frame?.destinationPort, CLOSED_PORT);
    assert.equal(frame?.sourceAddress, "10.9.1.2");
  }
});

test("a malformed option tells nothing, and harms nothing", { skip, timeout: 180_000 }, async () => {
  const before = trace.requests.length;
  const random = randomBytes(4_711);
  const hostile = [
    { options: padded(Buffer.concat([Buffer.from([25, 25]), traceId(13), spanId(13)])) },
    { options: padded(Buffer.concat([Buffer.from([25, 26]), Buffer.alloc(16), spanId(13)])) },
    { options: padded(Buffer.concat([Buffer.from([25, 26]), traceId(13), Buffer.alloc(8)])) },
    // It does not end before the header does.
    { options: padded(Buffer.concat([Buffer.alloc(16, 1), Buffer.from([25, 26])])) },
    { options: padded(traceOption(13)), dataOffset: 8 },
    { options: padded(Buffer.concat([Buffer.from([2, 0]), traceOption(13)])) },
    { options: padded(Buffer.concat([Buffer.from([0]), traceOption(13)])) },
    { options: padded(Buffer.concat([Buffer.from([3, 255]), traceOption(13)])) },
    { options: Buffer.alloc(40, 1) },
    { options: Buffer.alloc(40, 25) },
    ...Array.from({ length: HOSTILE_FRAMES }, () => ({
      // Never the right kind and length together, but either often.
      options: Buffer.from(
        random(40).map((byte, at, all) => (byte === 26 && all[at - 1] === 25 ? 27 : byte % 3 === 0 ? 25 : byte)),
      ),
    })),
  ];
  await sendSegments(hostile);
  await sendSegments([{ options: padded(traceOption(14)) }]);
  await trace.until("the right one after them is told", () => ofSegment(0).some(hasNumber(14)));
  await trace.settle();
  assert.deepEqual(
    trace.requests
      .slice(before)
      .filter(isOfLab)
      .filter((frame) => !hasNumber(14)(frame)),
    [],
  );
});

const hasNumber =
  (number: number) =>
  (frame: RequestFrame): boolean =>
    Buffer.from(frame.traceId).equals(traceId(number));
const isOfLab = ({ sourceAddress }: RequestFrame): boolean => sourceAddress.startsWith("10.9.1.");

/** The bytes of a datagram as exporter/register writes it. */
function datagram(number: number, kind: number, localPort: number, remotePort: number): Buffer {
  const bytes = Buffer.alloc(72);
  bytes.write("SKBSPAN1", "latin1");
  traceId(number).copy(bytes, 8);
  spanId(number).copy(bytes, 24);
  bytes[32] = 1;
  bytes[33] = kind;
  bytes[34] = 4;
  bytes.writeUInt16BE(localPort, 36);
  bytes.writeUInt16BE(remotePort, 38);
  const address = ADDRESS.split(".").map(Number);
  bytes.set(address, 40);
  bytes.set(address, 56);
  return bytes;
}

const tell = (bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) =>
    sender.send(bytes, DISCARD_PORT, "127.0.0.1", (error) => (error ? reject(error) : resolve())),
  );

test("what an application tells holds from the next bytes on that it writes", { skip, timeout: 180_000 }, async () => {
  const listener = createServer((socket) => socket.on("data", () => socket.write("back")));
  listener.listen(0, ADDRESS);
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const socket = connect({ host: ADDRESS, port, localAddress: ADDRESS });
  try {
    await once(socket, "connect");
    const localPort = socket.localPort ?? 0;
    await tell(datagram(21, 1, localPort, port));
    socket.write("\x17\x03\x03 before");
    await once(socket, "data");
    await tell(datagram(22, 2, localPort, port));
    socket.write("\x17\x03\x03 after");
    await once(socket, "data");
    const ours = (): RequestFrame[] =>
      trace.requests.filter(({ sourcePort, destinationPort }) => [sourcePort, destinationPort].includes(localPort));
    await trace.until("it is told", () => ours().length >= 4);
    await trace.settle();
    assert.deepEqual(
      ours().map((frame) => [
        frame.isOpening ? "opening" : "bytes",
        frame.sourcePort === localPort ? "there" : "back",
        frame.isResponse,
        hasNumber(frame.isOpening ? 21 : 22)(frame),
        frame.source,
      ]),
      [
        ["opening", "there", false, true, "helper"],
        ["opening", "back", true, true, "helper"],
        ["bytes", "there", false, true, "helper"],
        ["bytes", "back", true, true, "helper"],
      ],
    );
  } finally {
    socket.destroy();
    listener.close();
  }
});

test("datagrams to the discard port that are something else tell nothing", { skip, timeout: 180_000 }, async () => {
  const before = trace.requests.length;
  const random = randomBytes(815);
  const good = datagram(31, 1, 4_000, 4_001);
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(good);
    change(bytes);
    return bytes;
  };
  const hostile = [
    good.subarray(0, 71),
    changed((bytes) => bytes.write("SKBSPAN2", "latin1")),
    changed((bytes) => bytes.fill(0, 8, 24)),
    changed((bytes) => bytes.fill(0, 24, 32)),
    changed((bytes) => bytes.writeUInt8(5, 34)),
    changed((bytes) => bytes.writeUInt8(3, 33)),
    Buffer.alloc(0),
    Buffer.alloc(1_400, 0x53),
    ...Array.from({ length: HOSTILE_FRAMES }, (_, index) => random(index % 90)),
  ];
  for (const bytes of hostile) await tell(bytes);
  await tell(datagram(32, 1, 4_002, 4_003));
  await trace.until("the right one after them is told", () => trace.requests.slice(before).some(hasNumber(32)));
  await trace.settle();
  const told = trace.requests.slice(before).filter(({ sourceAddress }) => sourceAddress === ADDRESS);
  assert.equal(told.length, 2);
});

/** The same bytes in every run (a linear congruential generator). */
function randomBytes(seed: number): (count: number) => Buffer {
  let state = seed;
  return (count) =>
    Buffer.from(
      Array.from({ length: count }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state >>> 24;
      }),
    );
}
