import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import fc from "fast-check";
import { arbitraryRecording } from "../../test/lib/arbitrary-recording.js";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { benignDropSeenByEntries, droppedSeenByTracepoints, tcpAcrossNode } from "../../test/lib/example-recordings.js";
import { decodeRequest, type PlainObject, spansOf } from "../../test/lib/otlp-schema.js";
import { toReadableSpans } from "../../test/lib/to-readable-spans.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createRequestBuilder } from "./create-request-builder.js";
import { renderOtlpJson } from "./render-otlp-json.js";

function encode(journeys: readonly JourneySpans[]): Uint8Array {
  const builder = createRequestBuilder();
  for (const journey of journeys) builder.add(journey);
  const estimate = builder.bytes;
  const bytes = builder.finish();
  assert.ok(bytes.length <= estimate, `${bytes.length} bytes, the builder said at most ${estimate}`);
  return bytes;
}

function officially(journeys: readonly JourneySpans[]): PlainObject {
  const bytes = ProtobufTraceSerializer.serializeRequest(journeys.flatMap(toReadableSpans));
  assert.ok(bytes);
  return decodeRequest(bytes);
}

test("requests decode to what the official serializer gives", () => {
  for (const recording of [tcpAcrossNode(), droppedSeenByTracepoints(), benignDropSeenByEntries()]) {
    const journeys = collectJourneys(recording);
    assert.deepEqual(decodeRequest(encode(journeys)), officially(journeys));
  }
});

test("requests of any journeys decode to what the official serializer gives", () => {
  fc.assert(
    fc.property(arbitraryRecording, (recording) => {
      const journeys = collectJourneys(recording);
      assert.deepEqual(decodeRequest(encode(journeys)), officially(journeys));
    }),
    { numRuns: 300 },
  );
});

const idOf = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => id.fill(1, 0, 1));
const arbitraryJoining = fc.record({
  traceId: idOf(16),
  parentSpanId: fc.option(idOf(8), { nil: undefined }),
  links: fc.array(fc.record({ traceId: idOf(16), spanId: idOf(8), traceFlags: fc.integer({ min: 0, max: 255 }) }), {
    maxLength: 4,
  }),
});

test("requests of journeys with an application's span as parent, and with links, decode to what the official serializer gives", () => {
  fc.assert(
    fc.property(
      arbitraryRecording,
      fc.array(arbitraryJoining, { minLength: 1, maxLength: 5 }),
      (recording, joinings) => {
        const journeys = collectJourneys(recording).map((journey, at) => ({
          ...journey,
          ...joinings[at % joinings.length],
        }));
        assert.deepEqual(decodeRequest(encode(journeys)), officially(journeys));
        for (const journey of journeys) {
          const json = JSON.parse(JSON.stringify(renderOtlpJson(journey))) as PlainObject;
          assert.deepEqual(json, decodeRequest(encode([journey])));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("a joined root says that its parent is another process's span, its hops that theirs is not", () => {
  const [journey] = collectJourneys(tcpAcrossNode());
  assert.ok(journey);
  const parentSpanId = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const [root, ...rest] = spansOf(decodeRequest(encode([{ ...journey, parentSpanId }])));
  assert.equal(Buffer.from(String(root?.["parentSpanId"]), "hex").toString("hex"), "0102030405060708");
  assert.equal(root?.["flags"], 0x301);
  assert.ok(rest.length > 0 && rest.every(({ flags }) => flags === 0x101));
});

test("OTLP/JSON says the same as the protobuf encoding", () => {
  fc.assert(
    fc.property(arbitraryRecording, (recording) => {
      for (const journey of collectJourneys(recording)) {
        const json = JSON.parse(JSON.stringify(renderOtlpJson(journey))) as PlainObject;
        assert.deepEqual(json, decodeRequest(encode([journey])));
      }
    }),
    { numRuns: 100 },
  );
});

test("a builder is used again, and the last journey can be taken back", () => {
  const [first] = collectJourneys(tcpAcrossNode());
  const [second] = collectJourneys(droppedSeenByTracepoints());
  assert.ok(first && second);
  const builder = createRequestBuilder();
  builder.add(first);
  const bytes = builder.bytes;
  builder.add(second);
  builder.removeLast();
  assert.equal(builder.bytes, bytes);
  assert.equal(builder.journeys, 1);
  assert.equal(builder.spans, first.spans.length);
  assert.deepEqual(decodeRequest(builder.finish()), decodeRequest(encode([first])));
  assert.equal(builder.spans, 0);
  builder.add(second);
  assert.deepEqual(decodeRequest(builder.finish()), decodeRequest(encode([second])));
});

test("a journey's spans are grouped by whose namespace they are in, one resource for one owner", () => {
  const journeys = collectJourneys(tcpAcrossNode());
  const request = decodeRequest(encode([...journeys, ...journeys]));
  const services = (request["resourceSpans"] as readonly PlainObject[]).map((resource) =>
    JSON.stringify(resource["resource"]),
  );
  assert.equal(services.length, 3);
  assert.equal(new Set(services).size, 3);
  assert.equal(spansOf(request).length, 2 * (journeys[0]?.spans.length ?? 0));
});
