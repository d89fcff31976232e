import { createHash } from "node:crypto";
import type { DropView, EndpointView, JourneySummary, SpanRole } from "./api-types.js";
import type { StoredTrace } from "./create-trace-store.js";
import { labelResource } from "./label-resource.js";
import { type Attributes, type SpanRecord, STATUS_ERROR } from "./span-record.js";

/** The instrumentation scope of our own spans; all others are an application's. */
export const SKBSPAN_SCOPE = "skbspan";

/** A row of the list, with what is needed to filter and group it. */
export interface JourneyRecord {
  readonly summary: JourneySummary;
  readonly startUnixNs: bigint;
  /** In the order in which they were entered. */
  readonly functions: readonly string[];
  /** Lower case: everything a person may search for. */
  readonly searchText: string;
  /** The application's span that the journey is under, when that is in the store. */
  readonly request?: SpanRecord;
}

/** What a span stands for in the span model. */
export function roleOf(span: SpanRecord): SpanRole {
  if (span.scope.name !== SKBSPAN_SCOPE) return "application";
  if (span.attributes["journey.end"] !== undefined) return "journey";
  return span.name.startsWith("wait: ") ? "wait" : "hop";
}

/** The trace of an application as one row, and every journey as one. Never empty for a trace with spans. */
export function summariseTrace(trace: StoredTrace): JourneyRecord[] {
  const children = groupByParent(trace.spans);
  const roots = trace.spans.filter((span) => roleOf(span) === "journey").sort(byStart);
  const own = trace.spans.filter((span) => roleOf(span) === "application");
  // Hops may come before their journey, and then stand for it.
  const application = own.length > 0 ? own : roots.length === 0 ? trace.spans : [];
  const byId = new Map(own.map((span) => [span.spanId, span]));
  return [
    ...(application.length > 0 ? [summariseApplication(trace.traceId, application, roots)] : []),
    ...roots.map((root) => summariseJourney(root, descendants(root, children), byId.get(root.parentSpanId))),
  ];
}

function groupByParent(spans: readonly SpanRecord[]): ReadonlyMap<string, SpanRecord[]> {
  const children = new Map<string, SpanRecord[]>();
  for (const span of spans) {
    const siblings = children.get(span.parentSpanId);
    if (siblings === undefined) children.set(span.parentSpanId, [span]);
    else siblings.push(span);
  }
  return children;
}

/** The spans of one journey without its root, by start. Bounded: a span is visited once, whatever parents say. */
function descendants(root: SpanRecord, children: ReadonlyMap<string, SpanRecord[]>): SpanRecord[] {
  const found = new Set<SpanRecord>();
  const pending = [root];
  for (let span = pending.pop(); span !== undefined; span = pending.pop()) {
    for (const child of children.get(span.spanId) ?? []) {
      if (found.has(child) || child === root || roleOf(child) === "journey") continue;
      found.add(child);
      pending.push(child);
    }
  }
  return [...found].sort(byStart);
}

/** An enclosing span before what it encloses; a journey before its hops, of which the first can last longer. */
export function byStart(a: SpanRecord, b: SpanRecord): number {
  if (a.startUnixNs !== b.startUnixNs) return a.startUnixNs < b.startUnixNs ? -1 : 1;
  if (a.parentSpanId === b.spanId || b.parentSpanId === a.spanId) return a.parentSpanId === b.spanId ? 1 : -1;
  if (a.endUnixNs !== b.endUnixNs) return a.endUnixNs > b.endUnixNs ? -1 : 1;
  return 0;
}

function summariseJourney(
  root: SpanRecord,
  spans: readonly SpanRecord[],
  request: SpanRecord | undefined,
): JourneyRecord {
  const { attributes } = root;
  const hops = spans.filter((span) => roleOf(span) === "hop");
  const functions = hops.map((hop) => hop.name);
  const drop = readDrop(root, spans);
  const source = readEndpoint(attributes, "source");
  const destination = readEndpoint(attributes, "destination");
  const summary: JourneySummary = {
    kind: "journey",
    traceId: root.traceId,
    spanId: root.spanId,
    name: root.name,
    startUnixNs: root.startUnixNs.toString(),
    durationNs: readDurationNs(root),
    end: readText(attributes, "journey.end"),
    failed: root.statusCode === STATUS_ERROR,
    transport: readText(attributes, "network.transport") || root.name.split(" ")[0] || "",
    tcpFlags: readFlags(attributes),
    lengthBytes: readNumber(attributes, "skb.len") ?? 0,
    ...(source && { source }),
    ...(destination && { destination }),
    namespaces: distinct([root, ...spans].map((span) => labelResource(span.resource.attributes).label)),
    hops: readNumber(attributes, "journey.hops") ?? hops.length,
    lostHops: readNumber(attributes, "journey.lost_hops") ?? 0,
    complete: attributes["journey.complete"] !== false,
    ...(drop && { drop }),
    pathId: identifyPath(functions),
    joined: root.parentSpanId !== "",
    ...(request && { request: `${request.name} of ${labelResource(request.resource.attributes).label}` }),
    packets: 0,
    failedPackets: 0,
  };
  const searchText = searchTextOf(summary, [root, ...spans]);
  return { summary, startUnixNs: root.startUnixNs, functions, searchText, ...(request && { request }) };
}

/** A trace of an application: its root, or its earliest span when the root is not there, stands for it. */
function summariseApplication(
  traceId: string,
  unsorted: readonly SpanRecord[],
  journeys: readonly SpanRecord[],
): JourneyRecord {
  const spans = [...unsorted].sort(byStart);
  const root = spans.find((span) => span.parentSpanId === "") ?? spans[0];
  if (root === undefined) throw new Error(`trace ${traceId} has no spans`);
  const ids = new Set(spans.map((span) => span.spanId));
  let endUnixNs = root.endUnixNs;
  for (const span of spans) if (span.endUnixNs > endUnixNs) endUnixNs = span.endUnixNs;
  const startUnixNs = spans[0]?.startUnixNs ?? root.startUnixNs;
  const url = readText(root.attributes, "url.full") || readText(root.attributes, "url.path");
  const problem = root.statusCode === STATUS_ERROR ? root.statusMessage || readText(root.attributes, "error.type") : "";
  const summary: JourneySummary = {
    kind: "application",
    traceId,
    spanId: root.spanId,
    name: root.name,
    startUnixNs: startUnixNs.toString(),
    durationNs: Number(endUnixNs - startUnixNs),
    end: "",
    failed: [...spans, ...journeys].some((span) => span.statusCode === STATUS_ERROR),
    transport: "",
    tcpFlags: "",
    lengthBytes: 0,
    namespaces: distinct(spans.map((span) => labelResource(span.resource.attributes).label)),
    hops: spans.length,
    lostHops: 0,
    complete: spans.every((span) => span.parentSpanId === "" || ids.has(span.parentSpanId)),
    pathId: "",
    joined: false,
    packets: journeys.length,
    failedPackets: journeys.filter(({ statusCode }) => statusCode === STATUS_ERROR).length,
    ...(url !== "" && { url }),
    ...(problem !== "" && { problem }),
  };
  return { summary, startUnixNs, functions: [], searchText: searchTextOf(summary, spans) };
}

function readDrop(root: SpanRecord, spans: readonly SpanRecord[]): DropView | undefined {
  const reason = readText(root.attributes, "skb.drop.reason");
  if (readText(root.attributes, "journey.end") !== "dropped" && reason === "") return undefined;
  // The last hop with the reason is the innermost: it is where the packet ended.
  const place = spans.findLast((span) => span.attributes["skb.drop.reason"] !== undefined) ?? spans.at(-1) ?? root;
  const location = readText(root.attributes, "skb.drop.location") || readText(place.attributes, "skb.drop.location");
  return {
    reason: (reason || "unknown").replace(/^SKB_DROP_REASON_/, ""),
    function: location.replace(/\+0x.*$/, "") || place.name,
    location,
    advice:
      readText(place.attributes, "skb.drop.advice") ||
      readText(root.attributes, "skb.drop.advice") ||
      root.statusMessage,
    namespace: labelResource(place.resource.attributes).label,
    interface: readText(place.attributes, "network.interface.name"),
  };
}

function readEndpoint(attributes: Attributes, side: "source" | "destination"): EndpointView | undefined {
  const address = readText(attributes, `${side}.address`);
  if (address === "") return undefined;
  const port = readNumber(attributes, `${side}.port`);
  return port === undefined ? { address } : { address, port };
}

/** The exact duration when the span has it: a span lasts at least 1 ns, whatever was measured. */
export function readDurationNs(span: SpanRecord): number {
  const exact = readNumber(span.attributes, "journey.duration_ns") ?? readNumber(span.attributes, "hop.duration_ns");
  return exact ?? Number(span.endUnixNs - span.startUnixNs);
}

function readText(attributes: Attributes, key: string): string {
  const value = attributes[key];
  return value === undefined || value === null || typeof value === "object" ? "" : String(value);
}

function readNumber(attributes: Attributes, key: string): number | undefined {
  const value = attributes[key];
  return typeof value === "number" ? value : undefined;
}

function readFlags(attributes: Attributes): string {
  const flags = attributes["tcp.flags"];
  return Array.isArray(flags) ? flags.join(" ") : readText(attributes, "tcp.flags");
}

function identifyPath(functions: readonly string[]): string {
  return createHash("sha1").update(functions.join("\n")).digest("hex").slice(0, 12);
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function searchTextOf(summary: JourneySummary, spans: readonly SpanRecord[]): string {
  const words = new Set<string>([summary.traceId, summary.name, summary.end, summary.transport, ...summary.namespaces]);
  const { source, destination, drop } = summary;
  for (const endpoint of [source, destination]) if (endpoint) words.add(formatEndpoint(endpoint));
  if (drop) for (const word of [drop.reason, drop.location, drop.advice]) words.add(word);
  for (const span of spans) {
    words.add(span.name);
    for (const key of SEARCHED_ATTRIBUTES) {
      const value = span.attributes[key];
      if (value !== undefined) words.add(Array.isArray(value) ? value.join("\n") : String(value));
    }
  }
  return [...words].join("\n").toLowerCase();
}

const SEARCHED_ATTRIBUTES = [
  "network.interface.name",
  "process.executable.name",
  "skb.changed",
  "skb.mark",
  "url.path",
  "url.full",
  "http.route",
] as const;

export function formatEndpoint({ address, port }: EndpointView): string {
  if (port === undefined) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
