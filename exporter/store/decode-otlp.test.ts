import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import fc from "fast-check";
import { decodeOtlpJson, decodeOtlpProtobuf, OtlpDecodeError } from "./decode-otlp.js";
import { exportTraceServiceRequest } from "./otlp-messages.js";
import type { SpanRecord } from "./span-record.js";

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .filter((id) => id.some((byte) => byte !== 0))
    .map((id) => Buffer.from(id).toString("hex"));

const attributeValue = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.maxSafeInteger(),
  // Whole numbers are sent as integers, and large ones come back as strings: see below.
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
  fc.array(fc.string(), { maxLength: 4 }),
  fc.array(fc.integer(), { maxLength: 4 }),
);
// The official Resource merges into a plain object, so names such as "constructor" are not for it.
const attributeKey = fc.string({ minLength: 1, maxLength: 12 }).filter((key) => !(key in {}));
const attributes = fc.dictionary(attributeKey, attributeValue, { maxKeys: 6 });
const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });

const spanShape = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  parentSpanId: fc.option(hex(8), { nil: undefined }),
  name: fc.string(),
  kind: fc.integer({ min: 0, max: 4 }),
  start: fc.tuple(seconds, nanoseconds),
  lasts: fc.tuple(fc.integer({ min: 0, max: 1000 }), nanoseconds),
  status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: fc.string() }),
  attributes,
  events: fc.array(fc.record({ name: fc.string(), attributes }), { maxLength: 2 }),
  links: fc.array(fc.record({ traceId: hex(16), spanId: hex(8), attributes }), { maxLength: 2 }),
});
type SpanShape = typeof spanShape extends fc.Arbitrary<infer Shape> ? Shape : never;

const NS = 1_000_000_000n;
const toNs = ([s, ns]: readonly [number, number]) => BigInt(s) * NS + BigInt(ns);
const toHrTime = (ns: bigint): [number, number] => [Number(ns / NS), Number(ns % NS)];

function toReadableSpan(
  shape: SpanShape,
  resource: ReadableSpan["resource"],
  scope: ReadableSpan["instrumentationScope"],
): ReadableSpan {
  const context = { traceId: shape.traceId, spanId: shape.spanId, traceFlags: 1 };
  const { parentSpanId } = shape;
  return {
    name: shape.name,
    kind: shape.kind,
    spanContext: () => context,
    ...(parentSpanId && { parentSpanContext: { ...context, spanId: parentSpanId } }),
    startTime: toHrTime(toNs(shape.start)),
    endTime: toHrTime(toNs(shape.start) + toNs(shape.lasts)),
    status: shape.status,
    attributes: shape.attributes,
    links: shape.links.map((link) => ({ context: { ...link, traceFlags: 1 }, attributes: link.attributes })),
    events: shape.events.map((event) => ({ ...event, time: toHrTime(toNs(shape.start)) })),
    duration: [0, 0],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function assertDecoded(span: SpanRecord, shape: SpanShape): void {
  const { traceId, spanId, name, status } = shape;
  const startUnixNs = toNs(shape.start);
  const expected = { traceId, spanId, name, parentSpanId: shape.parentSpanId ?? "", kind: shape.kind + 1 };
  assert.deepEqual(
    { traceId: span.traceId, spanId: span.spanId, name: span.name, parentSpanId: span.parentSpanId, kind: span.kind },
    expected,
  );
  assert.equal(span.startUnixNs, startUnixNs);
  assert.equal(span.endUnixNs, startUnixNs + toNs(shape.lasts));
  assert.deepEqual({ ...span.attributes }, { ...shape.attributes });
  assert.deepEqual([span.statusCode, span.statusMessage], [status.code, status.message]);
  assert.deepEqual(
    span.events.map((event) => [event.name, { ...event.attributes }]),
    shape.events.map((event) => [event.name, { ...event.attributes }]),
  );
  assert.deepEqual(
    span.links.map((link) => [link.traceId, link.spanId]),
    shape.links.map((link) => [link.traceId, link.spanId]),
  );
}

describe("decodeOtlpProtobuf and decodeOtlpJson", () => {
  it("read what the official serializers write", () => {
    const request = fc.record({
      shapes: fc.array(spanShape, { maxLength: 8 }),
      resourceAttributes: attributes,
      scopeName: fc.string(),
    });
    fc.assert(
      fc.property(request, ({ shapes, resourceAttributes, scopeName }) => {
        const resource = resourceFromAttributes(resourceAttributes);
        const scope = { name: scopeName, version: "1" };
        const spans = shapes.map((shape) => toReadableSpan(shape, resource, scope));
        const protobuf = decodeOtlpProtobuf(ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array());
        const json = decodeOtlpJson(Buffer.from(JsonTraceSerializer.serializeRequest(spans) ?? []).toString("utf8"));
        for (const decoded of [protobuf, json]) {
          assert.equal(decoded.spans.length, shapes.length);
          for (const [index, span] of decoded.spans.entries()) {
            const shape = shapes[index];
            assert.ok(shape);
            assertDecoded(span, shape);
            assert.deepEqual({ ...span.resource.attributes }, { ...resourceAttributes });
            assert.equal(span.scope.name, scopeName);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never throws anything but OtlpDecodeError on other bytes and texts", () => {
    const tryDecode = (decode: () => unknown) => {
      try {
        decode();
      } catch (error) {
        assert.ok(error instanceof OtlpDecodeError, String(error));
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => tryDecode(() => decodeOtlpProtobuf(bytes))),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.json(), (text) => tryDecode(() => decodeOtlpJson(text))),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) =>
        tryDecode(() => decodeOtlpJson(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [value] }] }] }))),
      ),
      { numRuns: 500 },
    );
  });

  it("keeps integers exact: beyond 2^53 they are decimal strings", () => {
    const value = (intValue: string) => ({ key: "k", value: { intValue } });
    const span = { traceId: "01".repeat(16), spanId: "02".repeat(8), attributes: [value("9007199254740993")] };
    const decoded = decodeOtlpJson(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
    assert.equal(decoded.spans[0]?.attributes["k"], "9007199254740993");
  });

  it("tells a negative integer in protobuf", () => {
    const message = exportTraceServiceRequest.fromObject({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: Buffer.alloc(16, 1),
                  spanId: Buffer.alloc(8, 1),
                  attributes: [{ key: "k", value: { intValue: -111 } }],
                },
              ],
            },
          ],
        },
      ],
    });
    const decoded = decodeOtlpProtobuf(exportTraceServiceRequest.encode(message).finish());
    assert.equal(decoded.spans[0]?.attributes["k"], -111);
  });

  it("rejects spans without ids, keeps the others, and says why", () => {
    const good = { traceId: "01".repeat(16), spanId: "02".repeat(8), name: "good" };
    const bad = { traceId: "00".repeat(16), spanId: "02".repeat(8), name: "bad" };
    const decoded = decodeOtlpJson(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [bad, good] }] }] }));
    assert.deepEqual(
      decoded.spans.map(({ name }) => name),
      ["good"],
    );
    assert.equal(decoded.rejectedSpans, 1);
    assert.match(decoded.rejectedReason, /trace id has 16 bytes/);
  });
});
