import type { SpanRecord } from "../../exporter/store/span-record.js";
import { SKBSPAN_SCOPE } from "../../exporter/store/summarise-trace.js";

/** A packet as the store has it. */
export interface PacketJourney {
  readonly root: SpanRecord;
  /** All spans below the root. */
  readonly hops: readonly SpanRecord[];
  /** What it has to do with the request, e.g. `data`, `data response`, `handshake`; empty when it belongs to none. */
  readonly part: string;
  /** How the request was found, e.g. `http1`. */
  readonly source: string;
  readonly tcpFlags: string;
  /** Address and port each, as first seen. */
  readonly from: string;
  readonly to: string;
  /** Of IP. */
  readonly bytes: number;
}

/** What is below the spans of applications. */
export class PacketTree {
  private readonly children = new Map<string, SpanRecord[]>();
  readonly journeys: readonly PacketJourney[];

  constructor(readonly spans: readonly SpanRecord[]) {
    for (const span of spans) {
      const siblings = this.children.get(span.parentSpanId);
      if (siblings === undefined) this.children.set(span.parentSpanId, [span]);
      else siblings.push(span);
    }
    this.journeys = spans.filter(isJourney).map((root) => describe(root, this.below(root)));
  }

  /** Of one application: its spans of that kind, by start. */
  find(service: string, kind: number): SpanRecord[] {
    return this.spans
      .filter((span) => span.resource.attributes["service.name"] === service && span.kind === kind)
      .sort((left, right) => Number(left.startUnixNs - right.startUnixNs));
  }

  /** The packets that are children of a span of an application. */
  under({ spanId }: Pick<SpanRecord, "spanId">): PacketJourney[] {
    return this.journeys.filter(({ root }) => root.parentSpanId === spanId);
  }

  /** The packets that have a link to it. */
  linkedTo({ spanId }: Pick<SpanRecord, "spanId">): PacketJourney[] {
    return this.journeys.filter(({ root }) => root.links.some((link) => link.spanId === spanId));
  }

  private below(span: SpanRecord): SpanRecord[] {
    return (this.children.get(span.spanId) ?? []).flatMap((child) => [child, ...this.below(child)]);
  }
}

/** For the message of a test that fails: a line a packet. */
export function renderJourneys(journeys: readonly PacketJourney[]): string {
  return journeys
    .map(({ root, part, source, tcpFlags, from, to, bytes }) => {
      const end = String(root.attributes["journey.end"]);
      return `${part || "-"} (${source}) ${tcpFlags} ${from} -> ${to} ${bytes} bytes, ${end}, ${root.startUnixNs}`;
    })
    .join("\n");
}

function isJourney({ scope, attributes }: SpanRecord): boolean {
  return scope.name === SKBSPAN_SCOPE && attributes["journey.end"] !== undefined;
}

function describe(root: SpanRecord, hops: readonly SpanRecord[]): PacketJourney {
  const text = (key: string): string => String(root.attributes[key] ?? "");
  return {
    root,
    hops,
    part: `${text("journey.join")}${root.attributes["journey.request.response"] === true ? " response" : ""}`,
    source: text("journey.request.source"),
    tcpFlags: text("tcp.flags"),
    from: `${text("source.address")}:${text("source.port")}`,
    to: `${text("destination.address")}:${text("destination.port")}`,
    bytes: Number(root.attributes["skb.len"]),
  };
}
