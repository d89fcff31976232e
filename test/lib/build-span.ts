import type { SpanRecord } from "../../exporter/store/span-record.js";

export const NODE_RESOURCE = {
  identity: "node",
  attributes: { "service.name": "linux-network", "host.name": "worker-1" },
};
export const CLIENT_RESOURCE = {
  identity: "client",
  attributes: { "service.name": "client", "netns.inode": 4026532201 },
};
export const SKBSPAN = { name: "skbspan", version: "0.1.0" };

let lastSpanNumber = 0;

/** A stored span, 1 µs long, of the node unless said otherwise; ids are new with every call. */
export function buildSpan(fields: Partial<SpanRecord> = {}): SpanRecord {
  const startUnixNs = fields.startUnixNs ?? 1_795_000_000_000_000_000n;
  return {
    traceId: "0123456789abcdef0123456789abcdef",
    spanId: (++lastSpanNumber).toString(16).padStart(16, "0"),
    parentSpanId: "",
    name: "ip_rcv",
    kind: 1,
    startUnixNs,
    endUnixNs: startUnixNs + 1_000n,
    attributes: {},
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: "",
    resource: NODE_RESOURCE,
    scope: SKBSPAN,
    ...fields,
  };
}

/** A trace id of a number. */
export function traceIdOf(number: number): string {
  return number.toString(16).padStart(32, "0");
}

/** A root and one hop a function, each within the one before. */
export function buildJourney(
  number: number,
  functions: readonly string[],
  root: Partial<SpanRecord> = {},
): SpanRecord[] {
  const traceId = traceIdOf(number);
  const attributes = { "journey.end": "delivered", "network.transport": "tcp", ...root.attributes };
  const journey = buildSpan({ name: "tcp packet", ...root, traceId, attributes });
  let parentSpanId = journey.spanId;
  return [
    journey,
    ...functions.map((name, index) => {
      const hop = buildSpan({ traceId, name, parentSpanId, startUnixNs: journey.startUnixNs + BigInt(index) });
      parentSpanId = hop.spanId;
      return hop;
    }),
  ];
}
