import type { Identity } from "../enrich/identity.js";
import type { AttributeGroup, JourneySpans, PacketSpan, SpanLink } from "../map/packet-span.js";
import { appendAttribute, encodeResource } from "./encode-attribute.js";
import { LINK_FLAGS, STATUS_CODE_ERROR } from "./otlp-constants.js";
import {
  integerField,
  lengthDelimited,
  PADDED_LENGTH_BYTES,
  varint,
  writePaddedInt,
  writePaddedLength,
} from "./protobuf-writer.js";
import { RequestMemory } from "./request-memory.js";
import { scope } from "./scope.js";
import { Segment } from "./segment.js";
import { joinedTemplateOf, type SpanTemplate, templateOf } from "./span-template.js";

/** Gathers journeys into an ExportTraceServiceRequest, grouped by resource. */
export interface RequestBuilder {
  readonly spans: number;
  readonly journeys: number;
  /** Size of the request as it stands, a little more rather than less. */
  readonly bytes: number;
  add(journeySpans: JourneySpans): void;
  /** Takes back the journey that was added last; only once in a row. */
  removeLast(): void;
  /** The request's bytes; the builder is empty again. */
  finish(): Uint8Array;
}

/** Segments of owners that no longer appear would stay for ever. */
const MAX_IDLE_SEGMENTS = 256;
/** Field 6, fixed32. */
const FLAGS_TAG = 0x35;
const TWO_POW_32 = 4294967296;
const encodedScope = lengthDelimited(
  1,
  Buffer.concat([lengthDelimited(1, scope.name), lengthDelimited(2, scope.version)]),
);

export function createRequestBuilder(memory: RequestMemory = new RequestMemory()): RequestBuilder {
  return new Builder(memory);
}

class Builder implements RequestBuilder {
  spans = 0;
  journeys = 0;
  bytes = 0;
  private readonly segments = new Map<Identity, Segment>();
  private lastIdentity: Identity | undefined;
  private lastSegment: Segment | undefined;
  /** The group that was written last, and where it stands: spans that follow each other share it. */
  private lastGroup: AttributeGroup | undefined;
  private lastGroupAt = 0;
  private lastGroupBytes = 0;
  private spansBefore = 0;
  private bytesBefore = 0;
  private startLow = 0;
  private startHigh = 0;
  private readonly traceWords = new Int32Array(4);

  constructor(private readonly memory: RequestMemory) {}

  add(journeySpans: JourneySpans): void {
    for (const segment of this.segments.values()) segment.lengthBefore = segment.length;
    this.spansBefore = this.spans;
    this.bytesBefore = this.bytes;
    this.startLow = Number(journeySpans.startRealtimeNs & 0xffff_ffffn);
    this.startHigh = Number((journeySpans.startRealtimeNs >> 32n) & 0xffff_ffffn);
    const trace = journeySpans.traceId;
    const traceView = new DataView(trace.buffer, trace.byteOffset, trace.length);
    for (let word = 0; word < 4; word++) this.traceWords[word] = traceView.getInt32(4 * word);
    const { spans } = journeySpans;
    for (let index = 0; index < spans.length; index++) this.addSpan(spans[index] as PacketSpan, journeySpans);
    this.spans += journeySpans.spans.length;
    this.journeys++;
  }

  removeLast(): void {
    this.lastGroup = undefined;
    for (const segment of this.segments.values()) segment.length = segment.lengthBefore;
    this.spans = this.spansBefore;
    this.bytes = this.bytesBefore;
    this.journeys--;
  }

  finish(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const segment of this.segments.values()) {
      if (segment.length === 0) continue;
      const scopeLength = encodedScope.length + segment.length;
      const scopeHead = Uint8Array.from([0x12, ...varint(scopeLength)]);
      const resource = encodeResource(segment.identity);
      const head = Uint8Array.from([0x0a, ...varint(resource.length + scopeHead.length + scopeLength)]);
      parts.push(head, resource, scopeHead, encodedScope, segment.bytes.subarray(0, segment.length));
    }
    const request = joinParts(parts, this.memory);
    this.reset();
    return request;
  }

  private reset(): void {
    if (this.segments.size > MAX_IDLE_SEGMENTS) this.segments.clear();
    for (const segment of this.segments.values()) {
      segment.length = 0;
      segment.lengthBefore = 0;
    }
    this.lastIdentity = undefined;
    this.lastGroup = undefined;
    this.spans = 0;
    this.journeys = 0;
    this.bytes = 0;
  }

  private segmentOf(identity: Identity): Segment {
    if (this.lastSegment && this.lastIdentity === identity) return this.lastSegment;
    let segment = this.segments.get(identity);
    if (!segment) {
      segment = new Segment(identity, encodeResource(identity).length + encodedScope.length + 12);
      this.segments.set(identity, segment);
    }
    this.lastIdentity = identity;
    this.lastSegment = segment;
    return segment;
  }

  private addSpan(span: PacketSpan, journeySpans: JourneySpans): void {
    const isRoot = span.parent < 0;
    const template = isRoot && journeySpans.parentSpanId ? joinedTemplateOf(span.shape) : templateOf(span.shape);
    const segment = this.segmentOf(span.shape.identity);
    if (segment.length === 0) this.bytes += segment.overheadBytes;
    const at = segment.length;
    segment.append(template.bytes);
    this.patch(segment.view, at, template, span, journeySpans);
    if (span.group) this.addGroup(segment, span.group);
    if (span.extra) for (const attribute of span.extra) appendAttribute(segment, attribute);
    if (isRoot) for (const link of journeySpans.links) segment.append(encodeLink(link));
    if (span.fault) segment.append(encodeStatus(span.fault.description));
    const length = segment.length - at;
    writePaddedLength(segment.view, at + template.lengthAt, length - template.lengthAt - PADDED_LENGTH_BYTES);
    this.bytes += length;
  }

  /** A group belongs to a place, and so always to the same segment. */
  private addGroup(segment: Segment, group: AttributeGroup): void {
    if (group === this.lastGroup) return segment.repeat(this.lastGroupAt, this.lastGroupBytes);
    const at = segment.length;
    for (const attribute of group.attributes) appendAttribute(segment, attribute);
    this.lastGroup = group;
    this.lastGroupAt = at;
    this.lastGroupBytes = segment.length - at;
  }

  private patch(
    view: DataView,
    at: number,
    template: SpanTemplate,
    span: PacketSpan,
    journeySpans: JourneySpans,
  ): void {
    const { traceWords } = this;
    for (let word = 0; word < 4; word++) view.setInt32(at + template.traceIdAt + 4 * word, traceWords[word] ?? 0);
    view.setInt32(at + template.spanIdAt, span.idHigh);
    view.setInt32(at + template.spanIdAt + 4, span.idLow);
    this.writeTime(view, at + template.startAt, span.startOffsetNs);
    this.writeTime(view, at + template.endAt, span.endOffsetNs);
    if (template.parentIdAt === 0) return;
    if (template.offsetAt === 0) return this.writeRemoteParent(view, at + template.parentIdAt, journeySpans);
    const parent = journeySpans.spans[span.parent] as PacketSpan;
    view.setInt32(at + template.parentIdAt, parent.idHigh);
    view.setInt32(at + template.parentIdAt + 4, parent.idLow);
    writePaddedInt(view, at + template.offsetAt, Math.max(0, span.startOffsetNs));
    writePaddedInt(view, at + template.durationAt, Math.max(0, span.durationNs));
  }

  private writeRemoteParent(view: DataView, at: number, { parentSpanId }: JourneySpans): void {
    for (let index = 0; parentSpanId && index < 8; index++) view.setUint8(at + index, parentSpanId[index] ?? 0);
  }

  private writeTime(view: DataView, at: number, offsetNs: number): void {
    const sum = this.startLow + offsetNs;
    const carry = Math.floor(sum / TWO_POW_32);
    view.setUint32(at, sum - carry * TWO_POW_32, true);
    view.setUint32(at + 4, this.startHigh + carry, true);
  }
}

function encodeStatus(description: string): Uint8Array {
  return lengthDelimited(15, Buffer.concat([lengthDelimited(2, description), integerField(3, STATUS_CODE_ERROR)]));
}

/** 13: Link { 1: trace id  2: span id  6: flags } */
function encodeLink({ traceId, spanId, traceFlags }: SpanLink): Uint8Array {
  const flags = Uint8Array.of(FLAGS_TAG, traceFlags & 0xff, LINK_FLAGS >> 8, 0, 0);
  return lengthDelimited(13, Buffer.concat([lengthDelimited(1, traceId), lengthDelimited(2, spanId), flags]));
}

function joinParts(parts: readonly Uint8Array[], memory: RequestMemory): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = memory.take(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
