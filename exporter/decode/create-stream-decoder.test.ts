import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildRecording, type Unit } from "../../test/lib/build-recording.js";
import { wire, wireFrameType, wireRequestSource } from "../wire/layout.js";
import { createStreamDecoder } from "./create-stream-decoder.js";
import type { Frame, Journey } from "./frame.js";
import { StreamError } from "./stream-error.js";

function decodeAll(bytes: Uint8Array, cuts: readonly number[] = []): Frame[] {
  const decoder = createStreamDecoder();
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const frames: Frame[] = [];
  for (let index = 1; index < edges.length; index++)
    frames.push(...decoder.push(bytes.subarray(edges[index - 1], edges[index])));
  decoder.end();
  return frames;
}

function failureOf(bytes: Uint8Array): StreamError {
  const decoder = createStreamDecoder();
  try {
    decoder.push(bytes);
    decoder.end();
  } catch (error) {
    assert.ok(error instanceof StreamError, `not a StreamError: ${error}`);
    return error;
  }
  assert.fail("the stream was accepted");
}

function journeyOf(frames: readonly Frame[]): Journey {
  const frame = frames.find((candidate) => candidate.type === "journey");
  assert.ok(frame?.type === "journey");
  return frame.journey;
}

const start = 1_234_567_890_123_456n;
const offset = fc.bigInt({ min: 0n, max: 1n << 40n });
const unsigned16 = fc.integer({ min: 0, max: 0xffff });
const unsigned32 = fc.integer({ min: 0, max: 0xffff_ffff });
const address = fc.bigInt({ min: 0xffff_8000_0000_0000n, max: 0xffff_ffff_ffff_ffffn });
const hopModel = fc.record({
  probe: fc.integer({ min: 0, max: wire.unitStack - 1 }),
  cpu: unsigned16,
  enter: offset,
  leave: fc.option(offset),
  returnValue: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
});
const stackModel = fc.record({ observed: offset, cpu: unsigned16, addresses: fc.array(address, { maxLength: 40 }) });
const contextModel = fc.record({
  observed: offset,
  netnsInode: unsigned32,
  netnsCookie: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  mark: unsigned32,
  lengthBytes: unsigned32,
  sourcePort: unsigned16,
  transportHeaderBytes: fc.integer({ min: 0, max: 60 }),
  tcpSequence: unsigned32,
  changed: fc.integer({ min: 0, max: 255 }),
  source: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
  interfaceName: fc.stringMatching(/^[a-z0-9-]{0,15}$/),
});
const unitModel = fc.oneof(
  fc.record({ hop: hopModel }),
  fc.record({ stack: stackModel }),
  fc.record({ context: contextModel }),
);

type UnitModel = typeof unitModel extends fc.Arbitrary<infer Model> ? Model : never;

function toUnit(model: UnitModel): Unit {
  if ("hop" in model) {
    const { leave, ...hop } = model.hop;
    return { hop: { ...hop, enter: start + hop.enter, ...(leave === null ? {} : { leave: start + leave }) } };
  }
  if ("stack" in model) return { stack: { ...model.stack, observed: start + model.stack.observed } };
  const { observed, lengthBytes, ...rest } = model.context;
  return {
    context: {
      ...rest,
      observedMonotonicNs: start + observed,
      length: lengthBytes,
      ipVersion: 4,
      flags: wire.contextNetwork,
    },
  };
}

/** What the decoder should make of the models, computed from the models alone. */
function expectedUnits(models: readonly UnitModel[]): Pick<Journey, "hops" | "stacks"> & { contexts: object[] } {
  const hops: Journey["hops"][number][] = [];
  const stacks: Journey["stacks"][number][] = [];
  const contexts: object[] = [];
  for (const model of models) {
    if ("hop" in model) {
      const { probe, cpu, enter, leave, returnValue } = model.hop;
      hops.push({
        probe,
        cpu,
        enterOffsetNs: Number(enter),
        returned: leave !== null,
        leaveOffsetNs: Number(leave ?? enter),
        returnValue: leave === null ? 0 : returnValue,
      });
    } else if ("stack" in model) {
      const addresses = model.stack.addresses.map((value) => Number(BigInt.asIntN(64, value)));
      stacks.push({ offsetNs: Number(model.stack.observed), cpu: model.stack.cpu, hopsBefore: hops.length, addresses });
    } else {
      const { observed, source, ...rest } = model.context;
      contexts.push({ ...rest, offsetNs: Number(observed), hopsBefore: hops.length, sourceAddress: source.join(".") });
    }
  }
  return { hops, stacks, contexts };
}

test("any journey, in either byte order and any chunking, decodes to what was written", () => {
  fc.assert(
    fc.property(
      fc.array(unitModel, { maxLength: 60 }),
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 20 }),
      address,
      (models, littleEndian, cuts, skb) => {
        const bytes = buildRecording({ littleEndian })
          .hello({ cpuCount: 4, hostName: "node" })
          .journey(
            {
              skb,
              startMonotonicNs: start,
              endMonotonicNs: start + 99n,
              end: 3,
              dropReason: 77,
              processName: "curl",
              flags: wire.journeyInProcess,
              lostHops: 3,
            },
            models.map(toUnit),
          )
          .end()
          .bytes();
        const journey = journeyOf(decodeAll(bytes, cuts));
        const expected = expectedUnits(models);
        assert.deepEqual(journey.hops, expected.hops);
        assert.deepEqual(journey.stacks, expected.stacks);
        assert.equal(journey.contexts.length, expected.contexts.length);
        journey.contexts.forEach((context, index) => {
          for (const [key, value] of Object.entries(expected.contexts[index] ?? {}))
            assert.deepEqual(context[key as keyof typeof context], value, key);
        });
        assert.equal(journey.skbAddress, Number(BigInt.asIntN(64, skb)));
        assert.equal(journey.startMonotonicNs, start);
        assert.equal(journey.durationNs, 99);
        assert.equal(journey.end, "dropped");
        assert.equal(journey.dropReason, 77);
        assert.equal(journey.processName, "curl");
        assert.equal(journey.isInProcess, true);
        assert.equal(journey.isClone, false);
        assert.equal(journey.lostHops, 3);
      },
    ),
    { numRuns: 300 },
  );
});

function exampleStream(): Uint8Array {
  return buildRecording()
    .hello()
    .probe(0, "ip_rcv", { returnKind: 2 })
    .symbol(0xffff_ffff_8100_0010n, 0xffff_ffff_8100_0000n, "nf_hook_slow")
    .dropReason(6, "SKB_DROP_REASON_NETFILTER_DROP")
    .namespace(4026531840, "", wire.namespaceNode)
    .journey({ startMonotonicNs: start }, [
      { hop: { probe: 0, enter: start, leave: start + 10n } },
      { context: { observedMonotonicNs: start } },
      { stack: { observed: start, addresses: [1n, 2n, 3n, 4n] } },
    ])
    .request({ ipVersion: 4, requestSource: wireRequestSource.http1 })
    .stats(5n, [1n, 2n])
    .clock(6n, 7n)
    .message(2, "careful")
    .end()
    .bytes();
}

test("every type of frame is read", () => {
  const frames = decodeAll(exampleStream());
  assert.deepEqual(
    frames.map((frame) => frame.type),
    ["hello", "probe", "symbol", "drop-reason", "namespace", "journey", "request", "stats", "clock", "message", "end"],
  );
  assert.deepEqual(frames[2], {
    type: "symbol",
    address: -0x7eff_fff0,
    start: -0x7f00_0000,
    name: "nf_hook_slow",
  });
  assert.deepEqual(frames[9], { type: "message", level: "warning", text: "careful" });
});

test("one byte at a time gives the same frames", () => {
  const bytes = exampleStream();
  assert.deepEqual(
    decodeAll(
      bytes,
      Array.from(bytes, (_, index) => index),
    ),
    decodeAll(bytes),
  );
});

for (const littleEndian of [true, false])
  test(`who is in a namespace is read, ${littleEndian ? "little" : "big"}-endian`, () => {
    const bytes = buildRecording({ littleEndian })
      .hello()
      .member(
        {
          netnsCookie: 5657n,
          netnsInode: 4026532177,
          observedMonotonicNs: 3n,
          startMonotonicNs: 2n,
          cgroupId: 101n,
          cgroupV1Id: 7n,
          processId: 4711,
          processName: "nginx",
          flags: wire.memberNode,
        },
        "/kubepods/burstable",
        "/system.slice",
      )
      .member({ netnsCookie: 2n ** 63n, flags: wire.memberGone }, "")
      .inventory({ startMonotonicNs: 4n, endMonotonicNs: 5n, lost: 6n, method: 2, tasks: 7, members: 8, isLive: 1 })
      .end()
      .bytes();
    const [, member, gone, inventory] = decodeAll(bytes);
    assert.deepEqual(member, {
      type: "member",
      netnsCookie: 5657n,
      netnsInode: 4026532177,
      observedMonotonicNs: 3n,
      startMonotonicNs: 2n,
      processId: 4711,
      processName: "nginx",
      isNode: true,
      isGone: false,
      cgroupId: 101n,
      cgroupV1Id: 7n,
      cgroupPath: "/kubepods/burstable",
      cgroupV1Path: "/system.slice",
    });
    assert.ok(gone?.type === "member" && gone.isGone && gone.netnsCookie === 2n ** 63n);
    assert.deepEqual(inventory, {
      type: "inventory",
      startMonotonicNs: 4n,
      endMonotonicNs: 5n,
      method: "walk",
      isLive: true,
      tasks: 7,
      members: 8,
      lost: 6,
    });
  });

const requestModel = fc.record({
  observedMonotonicNs: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  netnsCookie: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  netnsInode: unsigned32,
  sequence: unsigned32,
  stream: unsigned32,
  lengthBytes: unsigned32,
  processId: unsigned32,
  sourcePort: unsigned16,
  destinationPort: unsigned16,
  traceFlags: fc.integer({ min: 0, max: 255 }),
  traceId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  spanId: fc.uint8Array({ minLength: 8, maxLength: 8 }),
});
const flagsModel = fc.record({
  isResponse: fc.boolean(),
  isReceived: fc.boolean(),
  isOpening: fc.boolean(),
  isPending: fc.boolean(),
});
const sourceNames = ["none", "http1", "http2", "tcp-option", "thread", "tls", "helper"] as const;

test("any request, in either byte order and any chunking, decodes to what was written", () => {
  fc.assert(
    fc.property(
      requestModel,
      flagsModel,
      fc.constantFrom(...sourceNames),
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 8 }),
      ({ lengthBytes, ...fields }, flags, source, littleEndian, cuts) => {
        const bits =
          (flags.isResponse ? wire.requestResponse : 0) |
          (flags.isReceived ? wire.requestReceived : 0) |
          (flags.isOpening ? wire.requestOpening : 0) |
          (flags.isPending ? wire.requestPending : 0);
        const bytes = buildRecording({ littleEndian })
          .hello()
          .request({
            ...fields,
            length: lengthBytes,
            traceId: [...fields.traceId],
            spanId: [...fields.spanId],
            source: [10, 0, 0, 1],
            destination: [10, 0, 0, 2],
            ipVersion: 4,
            flags: bits,
            requestSource: Object.values(wireRequestSource)[sourceNames.indexOf(source)] ?? 0,
          })
          .end()
          .bytes();
        const [, request] = decodeAll(bytes, cuts);
        assert.deepEqual(request, {
          type: "request",
          ...fields,
          lengthBytes,
          ...flags,
          source,
          sourceAddress: "10.0.0.1",
          destinationAddress: "10.0.0.2",
        });
      },
    ),
    { numRuns: 200 },
  );
});

test("a request on IPv6 has its addresses, one from a newer tracer's source joins nothing", () => {
  const address = (last: number): number[] => [0xfd, ...new Array(14).fill(0), last];
  const bytes = buildRecording()
    .hello()
    .request({ ipVersion: 6, source: address(1), destination: address(2), requestSource: 99 })
    .end()
    .bytes();
  const [, request] = decodeAll(bytes);
  assert.ok(request?.type === "request");
  assert.deepEqual([request.sourceAddress, request.destinationAddress, request.source], ["fd00::1", "fd00::2", "none"]);
});

test("a type of frame that is not known is skipped", () => {
  const bytes = buildRecording().hello().raw(999, new Uint8Array(13)).end().bytes();
  assert.deepEqual(
    decodeAll(bytes).map((frame) => frame.type),
    ["hello", "end"],
  );
});

test("a stream that is cut anywhere gives its complete frames and then says where it was cut", () => {
  const bytes = exampleStream();
  const whole = decodeAll(bytes);
  for (let length = 0; length < bytes.length; length++) {
    const decoder = createStreamDecoder();
    const frames = decoder.push(bytes.subarray(0, length));
    assert.deepEqual(frames, whole.slice(0, frames.length));
    assert.throws(() => decoder.end(), { name: "StreamError", code: "cut", offset: length });
  }
});

test("what is not a skbspan stream is recognised, however short", () => {
  assert.match(failureOf(Buffer.from("hello")).message, /not a skbspan stream.*begins with "hello"/);
  assert.match(failureOf(Buffer.from("\x7fELF-and-more-of-it-than-that")).message, /not a skbspan stream/);
  assert.equal(failureOf(Buffer.from("S\0")).code, "foreign");
  assert.match(failureOf(Buffer.alloc(0)).message, /stream is empty/);
});

test("another version is refused with what to do", () => {
  const bytes = Buffer.from(exampleStream());
  bytes.writeUInt16LE(2, 8);
  const failure = failureOf(bytes);
  assert.equal(failure.code, "version");
  assert.equal(
    failure.message,
    "The stream was written by format 2, this skbspan reads 1: use the skbspan that recorded it.",
  );
});

test("frames before the damage are given, the damage is reported next", () => {
  const good = buildRecording().hello().clock(1n, 2n).bytes();
  const bad = Buffer.alloc(8);
  bad.writeUInt32LE(0x7fff_ffff, 0);
  const decoder = createStreamDecoder();
  const frames = decoder.push(Buffer.concat([good, bad]));
  assert.deepEqual(
    frames.map((frame) => frame.type),
    ["hello", "clock"],
  );
  const expected = { code: "corrupt", offset: good.length, message: /a frame of 2147483647 bytes, at most/ };
  assert.throws(() => decoder.push(good), expected);
  assert.throws(() => decoder.end(), expected);
});

test("units that do not fit their journey are refused", () => {
  const journey = (usedUnits: number, units: readonly Unit[]) =>
    failureOf(buildRecording().hello().journey({ usedUnits }, units).end().bytes()).message;
  assert.match(journey(2, [{ hop: { probe: 1, enter: 1n } }]), /2 units of 24 bytes in a room of 24 bytes/);
  assert.match(journey(1, [{ hop: { probe: wire.unitContext, enter: 1n } }]), /a context runs over the end/);
  const stack = Buffer.alloc(72 + 24);
  stack.writeUInt16LE(1, 40);
  stack.writeUInt32LE(1, 72 + 16);
  stack.writeUInt16LE(wire.unitStack, 72 + 20);
  const bytes = buildRecording().hello().raw(wireFrameType.journey, stack).end().bytes();
  assert.match(failureOf(bytes).message, /a stack of 1 frames runs over the end/);
  assert.match(failureOf(buildRecording().hello().raw(wireFrameType.probe, Buffer.alloc(5)).bytes()).message, /PROBE/);
  assert.match(failureOf(buildRecording().clock(1n, 1n).bytes()).message, /first frame is not HELLO/);
  assert.match(failureOf(buildRecording().hello().end().clock(1n, 1n).bytes()).message, /after the END frame/);
});

test("whatever bytes are damaged, nothing but a StreamError is thrown", () => {
  const bytes = exampleStream();
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(damage, fc.nat(), (changes, cut) => {
      const damaged = Buffer.from(bytes);
      for (const [at, value] of changes) damaged[at] = value;
      try {
        decodeAll(damaged, [cut]);
      } catch (error) {
        assert.ok(error instanceof StreamError, `not a StreamError: ${error}`);
      }
    }),
    { numRuns: 2000 },
  );
});
