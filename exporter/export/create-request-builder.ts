import type { Identity } from "../enrich/identity.js";
import type { Attribute, JourneySpans, PacketSpan } from "../map/packet-span.js";
import { encodeGroup, encodeResource, encodeSpanAttribute } from "./encode-attribute.js";
import { STATUS_CODE_ERROR } from "./otlp-constants.js";
import {
  integerField,
  lengthDelimited,
  PADDED_LENGTH_BYTES,
  varint,
  writePaddedInt,
  writePaddedLength,
} from "./protobuf-writer.js";
import { scope } from "./scope.js";
import { type SpanTemplate, templateOf } from "./span-template.js";

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

const FIRST_SEGMENT_BYTES = 64 * 1024;
/** Segments of owners that no longer appear would stay for ever. */
const MAX_IDLE_SEGMENTS = 256;
const TWO_POW_32 = 4294967296;
const encodedScope = lengthDelimited(
  1,
  Buffer.concat([lengthDelimited(1, scope.name), lengthDelimited(2, scope.version)]),
);

/** The spans of one resource, one after another. */
interface Segment {
  readonly identity: Identity;
  readonly overheadBytes: number;
  bytes: Uint8Array;
  view: DataView;
  length: number;
  lengthBefore: number;
}

export function createRequestBuilder(): RequestBuilder {
  return new Builder();
}

class Builder implements RequestBuilder {
  spans = 0;
  journeys = 0;
  bytes = 0;
  private readonly segments = new Map<Identity, Segment>();
  private lastIdentity: Identity | undefined;
  private lastSegment: Segment | undefined;
  private spansBefore = 0;
  private bytesBefore = 0;
  private startLow = 0;
  private startHigh = 0;
  private readonly traceWords = new Int32Array(4);

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
    const request = joinParts(parts);
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
    this.spans = 0;
    this.journeys = 0;
    this.bytes = 0;
  }

  private segmentOf(identity: Identity): Segment {
    if (this.lastSegment && this.lastIdentity === identity) return this.lastSegment;
    let segment = this.segments.get(identity);
    if (!segment) {
      const overheadBytes = encodeResource(identity).length + encodedScope.length + 12;
      const bytes = new Uint8Array(FIRST_SEGMENT_BYTES);
      segment = { identity, overheadBytes, bytes, view: new DataView(bytes.buffer), length: 0, lengthBefore: 0 };
      this.segments.set(identity, segment);
    }
    this.lastIdentity = identity;
    this.lastSegment = segment;
    return segment;
  }

  private addSpan(span: PacketSpan, journeySpans: JourneySpans): void {
    const template = templateOf(span.shape);
    const group = span.group ? encodeGroup(span.group) : undefined;
    const status = span.fault ? encodeStatus(span.fault.description) : undefined;
    const segment = this.segmentOf(span.shape.identity);
    const length = template.bytes.length + (group?.length ?? 0) + lengthOfExtra(span) + (status?.length ?? 0);
    reserve(segment, length);
    if (segment.length === 0) this.bytes += segment.overheadBytes;
    this.bytes += length;
    const { bytes, view, length: at } = segment;
    bytes.set(template.bytes, at);
    writePaddedLength(view, at + template.lengthAt, length - template.lengthAt - PADDED_LENGTH_BYTES);
    this.patch(view, at, template, span, journeySpans);
    let end = at + template.bytes.length;
    if (group) {
      bytes.set(group, end);
      end += group.length;
    }
    end = writeExtra(span, bytes, end);
    if (status) bytes.set(status, end);
    segment.length = at + length;
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
    const parent = journeySpans.spans[span.parent] as PacketSpan;
    view.setInt32(at + template.parentIdAt, parent.idHigh);
    view.setInt32(at + template.parentIdAt + 4, parent.idLow);
    writePaddedInt(view, at + template.offsetAt, Math.max(0, span.startOffsetNs));
    writePaddedInt(view, at + template.durationAt, Math.max(0, span.durationNs));
  }

  private writeTime(view: DataView, at: number, offsetNs: number): void {
    const sum = this.startLow + offsetNs;
    const carry = Math.floor(sum / TWO_POW_32);
    view.setUint32(at, sum - carry * TWO_POW_32, true);
    view.setUint32(at + 4, this.startHigh + carry, true);
  }
}

function lengthOfExtra(span: PacketSpan): number {
  const { extra } = span;
  if (!extra) return 0;
  let length = 0;
  for (let index = 0; index < extra.length; index++) length += encodeSpanAttribute(extra[index] as Attribute).length;
  return length;
}

function writeExtra(span: PacketSpan, bytes: Uint8Array, start: number): number {
  const { extra } = span;
  let at = start;
  if (!extra) return at;
  for (let index = 0; index < extra.length; index++) {
    const encoded = encodeSpanAttribute(extra[index] as Attribute);
    bytes.set(encoded, at);
    at += encoded.length;
  }
  return at;
}

function encodeStatus(description: string): Uint8Array {
  return lengthDelimited(15, Buffer.concat([lengthDelimited(2, description), integerField(3, STATUS_CODE_ERROR)]));
}

function reserve(segment: Segment, length: number): void {
  const needed = segment.length + length;
  if (needed <= segment.bytes.length) return;
  const larger = new Uint8Array(Math.max(needed, 2 * segment.bytes.length));
  larger.set(segment.bytes.subarray(0, segment.length));
  segment.bytes = larger;
  segment.view = new DataView(larger.buffer);
}

/** Not from Node's pool: a request may be kept for long. */
function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
