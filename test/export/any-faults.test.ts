import { type TestContext, test } from "node:test";
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { assertAccountedFor } from "../lib/account-for.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../lib/example-recordings.js";
import { numberJourneys } from "../lib/number-journeys.js";
import { openOtlpSink } from "../lib/open-otlp-sink.js";
import { type Answer, startOtlpServer } from "../lib/start-otlp-server.js";

/** Any load, any answers, any buffer: what was made is what was sent and lost, and the server has what was sent. */

const delivered = collectJourneys(tcpAcrossNode())[0] as JourneySpans;
const dropped = collectJourneys(droppedSeenByTracepoints())[0] as JourneySpans;

const anyCode = fc.integer({ min: status.CANCELLED, max: status.UNAUTHENTICATED });
const taken: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ delayMs: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ rejectedSpans: fc.integer({ min: 0, max: 60 }) }),
);
const answers = {
  grpc: fc.oneof(
    taken,
    fc.record({ code: anyCode }),
    fc.record({ code: anyCode, retryInfoMs: fc.integer({ min: 0, max: 20 }) }),
  ),
  http: fc.oneof(
    taken,
    fc.record({ httpStatus: fc.constantFrom(301, 400, 401, 404, 429, 500, 502, 503, 504) }),
    fc.record({ httpStatus: fc.constantFrom(429, 503), retryAfter: fc.constantFrom("0", "soon", "") }),
  ),
} as const;

const anyLoad = fc.array(
  fc.record({
    ordinary: fc.integer({ min: 0, max: 30 }),
    drops: fc.integer({ min: 0, max: 6 }),
    pauseMs: fc.integer({ min: 0, max: 12 }),
  }),
  { maxLength: 8 },
);

interface Example {
  readonly script: readonly Answer[];
  readonly load: readonly { readonly ordinary: number; readonly drops: number; readonly pauseMs: number }[];
  readonly maxBufferedBytes: number;
  readonly flushTimeoutMs: number;
  readonly giveUpMs: number;
}

async function play(context: TestContext, protocol: "grpc" | "http", example: Example): Promise<void> {
  const { script, load, ...limits } = example;
  const server = await startOtlpServer(context, { protocol });
  server.script(...script);
  const { sink } = openOtlpSink(context, server.url, { protocol, firstBackoffMs: 4, maxBackoffMs: 20, ...limits });
  const made: JourneySpans[] = [];
  for (const { ordinary, drops, pauseMs } of load) {
    const first = made.length;
    const more = [...numberJourneys(delivered, ordinary, first), ...numberJourneys(dropped, drops, first)];
    for (const journey of more) sink.accept(journey);
    made.push(...more);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  await sink.close();
  // What was under way at the end may have arrived.
  const isAmbiguous = (sink.stats().lostJourneys["closed"] ?? 0) > 0;
  assertAccountedFor(sink, made, [server], { isAmbiguous });
  await server.stop();
}

for (const protocol of ["grpc", "http"] as const)
  test(`${protocol}: whatever is answered, every journey is accounted for`, async (context) => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          script: fc.array(answers[protocol], { maxLength: 25 }),
          load: anyLoad,
          maxBufferedBytes: fc.constantFrom(40_000, 200_000, 4_000_000),
          flushTimeoutMs: fc.constantFrom(1, 30, 20_000),
          giveUpMs: fc.constantFrom(1, 50, 300_000),
        }),
        (example) => play(context, protocol, example),
      ),
      { numRuns: 60 },
    );
  });
