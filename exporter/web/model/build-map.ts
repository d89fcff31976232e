import type { SpanView } from "../../store/api-types.js";
import { type Change, isRewrite, readChanges } from "./read-changes.js";

export type MapItem =
  | { readonly kind: "process"; readonly name: string; readonly spanId: string }
  | { readonly kind: "interface"; readonly name: string; readonly spanId: string }
  | { readonly kind: "change"; readonly change: Change; readonly spanId: string }
  | { readonly kind: "wait"; readonly name: string; readonly durationNs: number; readonly spanId: string }
  | {
      readonly kind: "drop";
      readonly reason: string;
      readonly function: string;
      readonly isFault: boolean;
      readonly spanId: string;
    }
  | { readonly kind: "end"; readonly end: string; readonly spanId: string };

/** One stay of the packet in one namespace. */
export interface MapStation {
  readonly resource: number;
  readonly startNs: number;
  readonly items: readonly MapItem[];
}

/** A wait is worth a place on the map from this part of the journey on. */
const NOTABLE_WAIT = 0.1;

/**
 * The namespaces and interfaces that a journey crossed, in order, with what changed in the packet on the way and how
 * it ended.
 * @param spans one journey with its root, by start
 */
export function buildMap(spans: readonly SpanView[]): MapStation[] {
  const root = spans.find(({ role }) => role === "journey");
  if (root === undefined) return [];
  const builder = new MapBuilder(root);
  for (const span of spans) builder.pass(span);
  return builder.finish(spans);
}

class MapBuilder {
  private readonly stations: { resource: number; startNs: number; items: MapItem[] }[] = [];
  private interfaceName = "";

  constructor(private readonly root: SpanView) {
    this.visit(root);
    const process = root.attributes["process.executable.name"];
    if (typeof process === "string") this.add({ kind: "process", name: process, spanId: root.id });
  }

  pass(span: SpanView): void {
    if (span.role === "wait") return this.passWait(span);
    this.visit(span);
    const name = span.attributes["network.interface.name"];
    if (typeof name === "string" && name !== "" && name !== this.interfaceName) {
      this.interfaceName = name;
      this.add({ kind: "interface", name, spanId: span.id });
    }
    for (const change of readChanges(span))
      if (isRewrite(change)) this.add({ kind: "change", change, spanId: span.id });
  }

  finish(spans: readonly SpanView[]): MapStation[] {
    const end = String(this.root.attributes["journey.end"] ?? "");
    const reason = this.root.attributes["skb.drop.reason"];
    if (end === "dropped" || typeof reason === "string")
      this.addDrop(findDrop(spans) ?? this.root, String(reason ?? ""));
    else this.add({ kind: "end", end, spanId: spans.at(-1)?.id ?? this.root.id });
    return this.stations;
  }

  private addDrop(place: SpanView, reason: string): void {
    // A drop is where its hop is, though later hops (those that free the packet) may be elsewhere.
    if (this.stations.at(-1)?.resource !== place.resource) this.visit(place);
    const location = String(place.attributes["skb.drop.location"] ?? "");
    const name = location.replace(/\+0x.*$/, "") || place.name;
    this.add({ kind: "drop", reason, function: name, isFault: this.root.failed, spanId: place.id });
  }

  private passWait(span: SpanView): void {
    if (span.durationNs < this.root.durationNs * NOTABLE_WAIT) return;
    const name = span.name.replace(/^wait: /, "");
    this.add({ kind: "wait", name, durationNs: span.durationNs, spanId: span.id });
  }

  private visit(span: SpanView): void {
    if (this.stations.at(-1)?.resource === span.resource) return;
    this.stations.push({ resource: span.resource, startNs: span.startNs, items: [] });
    this.interfaceName = "";
  }

  private add(item: MapItem): void {
    this.stations.at(-1)?.items.push(item);
  }
}

/** The innermost hop with the reason. */
export function findDrop(spans: readonly SpanView[]): SpanView | undefined {
  return spans.findLast((span) => span.role !== "journey" && span.attributes["skb.drop.reason"] !== undefined);
}
