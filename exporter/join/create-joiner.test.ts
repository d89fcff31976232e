import assert from "node:assert/strict";
import { test } from "node:test";
import { ACK, buildConnection, FIN, PSH, RST, SYN, spanIdOf, traceIdOf } from "../../test/lib/build-connection.js";
import { quietSink } from "../../test/lib/quiet-sink.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createPipeline } from "../pipeline.js";
import { wire, wireJourneyEnd, wireRequestSource } from "../wire/layout.js";
import { createJoiner, type Joiner, type JoinerOptions } from "./create-joiner.js";

const defaults: JoinerOptions = {
  mode: "join",
  sources: ["http1", "http2", "tcp-option", "thread", "helper"],
  isSampledOnly: false,
  waitMs: 1_000,
  maxJourneys: 200,
  maxSpans: 1_000,
  forMs: 60_000,
  maxRequests: 10_000,
  detail: "functions",
};

interface Replayed {
  readonly journeys: readonly JourneySpans[];
  readonly joiner: Joiner;
}

function replay(recording: Uint8Array, options: Partial<JoinerOptions> = {}): Replayed {
  const joiner = createJoiner({ ...defaults, ...options });
  const journeys: JourneySpans[] = [];
  const sink = { ...quietSink, accept: (journeySpans: JourneySpans) => void journeys.push(journeySpans) };
  const pipeline = createPipeline({ sinks: [sink], joiner });
  pipeline.push(recording);
  pipeline.end();
  return { journeys, joiner };
}

/** The number of the trace that it joined and what it has to do with the request; "-": none. */
function describe(journeySpans: JourneySpans): string {
  const root = journeySpans.spans[0];
  const textOf = (key: string): string =>
    String(root?.extra?.find(({ definition }) => definition.key === key)?.value ?? "");
  const numberOf = (id: Uint8Array): number => new DataView(id.buffer, id.byteOffset + id.length - 4).getUint32(0);
  const links = journeySpans.links.map(({ traceId }) => ` ~${numberOf(traceId)}`).join("");
  const response = textOf("journey.request.response") === "true" ? " response" : "";
  const past = textOf("journey.join.past");
  const trace = journeySpans.parentSpanId ? numberOf(journeySpans.traceId) : "-";
  return `${trace} ${textOf("journey.join")}${response}${links}${past && ` past ${past}`}`.trim();
}

const described = (recording: Uint8Array, options?: Partial<JoinerOptions>): string[] =>
  replay(recording, options).journeys.map(describe);

test("the packets of a request and of its response are under the application's span, from the SYN to the FIN", () => {
  const recording = buildConnection()
    .request({ atMs: 0, port: 1, trace: 99 })
    .packet({ atMs: 1, flags: SYN, sequence: 999, acknowledgement: 0 })
    .packet({ atMs: 2, from: "server", flags: SYN | ACK, sequence: 4_999, acknowledgement: 1_000 })
    .packet({ atMs: 3, flags: ACK, sequence: 1_000, acknowledgement: 5_000 })
    .request({ atMs: 4, sequence: 1_000, trace: 7 })
    .packet({ atMs: 5, flags: PSH | ACK, sequence: 1_000, acknowledgement: 5_000, bytes: 200 })
    .packet({ atMs: 6, from: "server", sequence: 5_000, acknowledgement: 1_200 })
    .request({ atMs: 7, from: "server", sequence: 5_000, trace: 7, flags: wire.requestResponse })
    .packet({ atMs: 8, from: "server", flags: PSH | ACK, sequence: 5_000, acknowledgement: 1_200, bytes: 300 })
    .packet({ atMs: 9, sequence: 1_200, acknowledgement: 5_300 })
    .packet({ atMs: 10, flags: FIN | ACK, sequence: 1_200, acknowledgement: 5_300 })
    .bytes();
  const { journeys, joiner } = replay(recording);
  assert.deepEqual(journeys.map(describe), [
    "7 data",
    "7 acknowledgement",
    "7 data response",
    "7 acknowledgement response",
    "7 close",
    "7 handshake",
    "7 handshake",
    "7 handshake",
  ]);
  for (const { traceId, parentSpanId } of journeys) {
    assert.deepEqual(traceId, traceIdOf(7));
    assert.deepEqual(parentSpanId, spanIdOf(7));
  }
  assert.deepEqual(
    { joined: joiner.stats().joined.http1, waited: joiner.stats().waited, settled: joiner.stats().settled },
    { joined: 8, waited: 3, settled: 3 },
  );
});
void [RST, wireJourneyEnd, wireRequestSource, described];
