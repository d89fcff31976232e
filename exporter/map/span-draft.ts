import type { Attribute, AttributeGroup, PacketSpan, SpanFault, SpanShape } from "./packet-span.js";

/** A span that is still being worked on. */
export class SpanDraft implements PacketSpan {
  readonly shape: SpanShape;
  readonly idHigh: number;
  readonly idLow: number;
  readonly parent: number;
  readonly startOffsetNs: number;
  endOffsetNs: number;
  durationNs: number;
  readonly group: AttributeGroup | undefined;
  extra: Attribute[] | undefined;
  fault: SpanFault | undefined;

  constructor(
    shape: SpanShape,
    idHigh: number,
    idLow: number,
    parent: number,
    startOffsetNs: number,
    durationNs: number,
    group: AttributeGroup | undefined,
  ) {
    this.shape = shape;
    this.idHigh = idHigh;
    this.idLow = idLow;
    this.parent = parent;
    this.startOffsetNs = startOffsetNs;
    this.durationNs = durationNs;
    // Jaeger calls a span that lasts no time negative.
    this.endOffsetNs = startOffsetNs + Math.max(1, durationNs);
    this.group = group;
    this.extra = undefined;
    this.fault = undefined;
  }

  /** It lasted at least until then. */
  extendTo(offsetNs: number): void {
    if (offsetNs - this.startOffsetNs <= this.durationNs) return;
    this.durationNs = offsetNs - this.startOffsetNs;
    this.endOffsetNs = offsetNs;
  }

  add(attribute: Attribute): void {
    if (this.extra) this.extra.push(attribute);
    else this.extra = [attribute];
  }
}
