import type { Identity } from "../enrich/identity.js";
import { attributes } from "./attributes.js";
import { createAttributePool } from "./create-attribute-pool.js";
import { ANY_LAYER, findLayer, OTHER_LAYER } from "./layers.js";
import { type Attribute, createAttribute, type PacketSpan, type SpanFault, type SpanShape } from "./packet-span.js";
import { changesOf, dropMarksOf } from "./read-marks.js";
import { SpanDraft } from "./span-draft.js";

/** Few values recur in all journeys, whatever the stream: they are encoded once. */
const pool = createAttributePool();

/**
 * Hops in the order of their entries, waits between them, to a span for each run of hops in one layer and one namespace.
 * The spans stand side by side under the root: a run lasts from its first hop's entry until its last function returned or
 * the packet went on to another layer, whichever was first, so that their durations add up.
 */
export function foldLayers(spans: readonly PacketSpan[]): PacketSpan[] {
  const folded: PacketSpan[] = [];
  let run: Run | undefined;
  let layerBefore: string = OTHER_LAYER;
  const close = (boundaryNs: number): void => {
    if (!run) return;
    // Copying and freeing alone, after a wait: it is done for the layer before.
    layerBefore = run.layer === ANY_LAYER ? layerBefore : run.layer;
    folded.push(run.toSpan(layerBefore, boundaryNs));
    run = undefined;
  };
  for (const span of spans) {
    if (span.shape.kind === "wait") {
      close(span.startOffsetNs);
      folded.push(span);
    } else if (!run?.take(span)) {
      close(span.startOffsetNs);
      run = new Run(span);
    }
  }
  close(Number.POSITIVE_INFINITY);
  return folded;
}

class Run {
  layer: string;
  private last: PacketSpan;
  private hops = 1;
  private leaveOffsetNs: number;
  private isInferred = true;
  private fault: SpanFault | undefined;
  private readonly changes: string[] = [];
  private readonly dropMarks: Attribute[] = [];

  constructor(private readonly first: PacketSpan) {
    this.layer = findLayer(first.shape.name);
    this.last = first;
    this.leaveOffsetNs = first.startOffsetNs;
    this.note(first);
  }

  /** False: the hop belongs to another run. */
  take(span: PacketSpan): boolean {
    const layer = findLayer(span.shape.name);
    const isSame = layer === this.layer || layer === ANY_LAYER || this.layer === ANY_LAYER;
    if (!isSame || span.shape.identity !== this.first.shape.identity) return false;
    if (this.layer === ANY_LAYER) this.layer = layer;
    this.last = span;
    this.hops++;
    this.note(span);
    return true;
  }

  toSpan(layer: string, boundaryNs: number): PacketSpan {
    const { first, last } = this;
    const shape = shapeOf(first.shape.identity, layer, this.isInferred);
    const endOffsetNs = Math.max(last.startOffsetNs, Math.min(this.leaveOffsetNs, boundaryNs));
    const { idHigh, idLow, startOffsetNs, group } = first;
    const span = new SpanDraft(shape, idHigh, idLow, 0, startOffsetNs, Math.max(0, endOffsetNs - startOffsetNs), group);
    span.add(pool.get(attributes.layerHops, this.hops));
    span.add(pool.get(attributes.layerFirstFunction, first.shape.name));
    if (last !== first) span.add(pool.get(attributes.layerLastFunction, last.shape.name));
    if (this.changes.length > 0) span.add(createAttribute(attributes.skbChanged, this.changes));
    for (const mark of this.dropMarks) span.add(mark);
    span.fault = this.fault;
    return span;
  }

  private note(span: PacketSpan): void {
    this.leaveOffsetNs = Math.max(this.leaveOffsetNs, span.startOffsetNs + span.durationNs);
    if (!isInferred(span.shape)) this.isInferred = false;
    this.fault = span.fault ?? this.fault;
    if (!span.extra) return;
    this.changes.push(...changesOf(span));
    this.dropMarks.push(...dropMarksOf(span));
  }
}

function isInferred(shape: SpanShape): boolean {
  return shape.attributes.some(({ definition }) => definition === attributes.hopDurationInferred);
}

const shapes = new WeakMap<Identity, Map<string, SpanShape>>();

/** Few: layers are few. */
function shapeOf(identity: Identity, layer: string, inferred: boolean): SpanShape {
  let ofIdentity = shapes.get(identity);
  if (!ofIdentity) {
    ofIdentity = new Map();
    shapes.set(identity, ofIdentity);
  }
  const key = inferred ? `~${layer}` : layer;
  let shape = ofIdentity.get(key);
  if (!shape) {
    const constants = [pool.get(attributes.layerName, layer)];
    if (inferred) constants.push(pool.get(attributes.hopDurationInferred, true));
    shape = { kind: "layer", name: `layer: ${layer}`, identity, attributes: constants, encoded: undefined };
    ofIdentity.set(key, shape);
  }
  return shape;
}
