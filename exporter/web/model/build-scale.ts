import type { SpanView } from "../../store/api-types.js";

export interface Tick {
  readonly atNs: number;
  /** 0 to 1. */
  readonly position: number;
}

/** A stretch without any work, drawn shorter than it was. */
export interface Break {
  readonly from: number;
  readonly to: number;
  readonly durationNs: number;
}

/** From a time in the trace to a place from 0 to 1. */
export interface Scale {
  position(ns: number): number;
  readonly startNs: number;
  readonly endNs: number;
  readonly ticks: readonly Tick[];
  readonly breaks: readonly Break[];
}

interface Segment {
  readonly startNs: number;
  readonly endNs: number;
  readonly isBusy: boolean;
  readonly weight: number;
}

/** Idle stretches are shortened when they are longer than this part of the work, to this part of it. */
const IDLE_SHARE = 0.15;

/**
 * A packet works for microseconds and can wait for milliseconds in a queue: on a true scale its hops would be
 * invisible. With `isCompressed`, times in which nothing but waits happens are shortened.
 */
export function buildScale(spans: readonly SpanView[], isCompressed: boolean): Scale {
  const startNs = spans.reduce((least, span) => Math.min(least, span.startNs), spans[0]?.startNs ?? 0);
  const endNs = spans.reduce((most, span) => Math.max(most, span.startNs + span.durationNs), startNs + 1);
  const segments = isCompressed ? compress(findSegments(spans, startNs, endNs)) : [whole(startNs, endNs)];
  const position = createPosition(segments);
  return { position, startNs, endNs, ticks: placeTicks(segments, position), breaks: findBreaks(segments, position) };
}

function whole(startNs: number, endNs: number): Segment {
  return { startNs, endNs, isBusy: true, weight: endNs - startNs };
}

/** Times with a hop under way, and those between. The journey's own span encloses all and does not count. */
function findSegments(spans: readonly SpanView[], startNs: number, endNs: number): Segment[] {
  const segments: Segment[] = [];
  let reachedNs = startNs;
  const extend = (fromNs: number, toNs: number, isBusy: boolean): void => {
    const last = segments.at(-1);
    if (toNs <= fromNs) return;
    if (last?.isBusy === isBusy) segments.pop();
    const begin = last?.isBusy === isBusy ? last.startNs : fromNs;
    segments.push({ startNs: begin, endNs: toNs, isBusy, weight: toNs - begin });
  };
  const hops = spans.filter((span) => span.role === "hop").sort((a, b) => a.startNs - b.startNs);
  for (const span of hops) {
    extend(reachedNs, span.startNs, false);
    reachedNs = Math.max(reachedNs, span.startNs);
    extend(reachedNs, span.startNs + span.durationNs, true);
    reachedNs = Math.max(reachedNs, span.startNs + span.durationNs);
  }
  extend(reachedNs, endNs, false);
  return segments;
}

function compress(segments: readonly Segment[]): readonly Segment[] {
  const busyNs = segments.reduce((sum, segment) => sum + (segment.isBusy ? segment.weight : 0), 0);
  if (busyNs === 0) return segments;
  const most = busyNs * IDLE_SHARE;
  return segments.map((segment) => (segment.isBusy ? segment : { ...segment, weight: Math.min(segment.weight, most) }));
}

function createPosition(segments: readonly Segment[]): (ns: number) => number {
  const total = segments.reduce((sum, { weight }) => sum + weight, 0) || 1;
  return (ns) => {
    let before = 0;
    for (const { startNs, endNs, weight } of segments) {
      if (ns < endNs) return Math.max(0, (before + ((ns - startNs) / (endNs - startNs)) * weight) / total);
      before += weight;
    }
    return 1;
  };
}

function findBreaks(segments: readonly Segment[], position: (ns: number) => number): Break[] {
  return segments
    .filter(({ startNs, endNs, weight }) => weight < (endNs - startNs) * 0.999)
    .map(({ startNs, endNs }) => ({ from: position(startNs), to: position(endNs), durationNs: endNs - startNs }));
}

const TICKS = 5;
const CLOSEST_TICKS = 0.09;

/** Round times; ticks that fall into a shortened stretch or too near to another are left out. */
function placeTicks(segments: readonly Segment[], position: (ns: number) => number): Tick[] {
  const first = segments[0];
  const last = segments.at(-1);
  if (first === undefined || last === undefined) return [];
  const startNs = first.startNs;
  const busyNs = segments.reduce((sum, { weight }) => sum + weight, 0);
  const stepNs = roundStep(busyNs / TICKS);
  const ticks: Tick[] = [{ atNs: 0, position: 0 }];
  for (const segment of segments) {
    if (segment.weight < (segment.endNs - segment.startNs) * 0.999) continue;
    const begin = Math.ceil((segment.startNs - startNs) / stepNs) * stepNs;
    for (let atNs = begin; atNs <= segment.endNs - startNs; atNs += stepNs) {
      const place = position(startNs + atNs);
      if (place - (ticks.at(-1)?.position ?? 0) >= CLOSEST_TICKS && place < 0.93) ticks.push({ atNs, position: place });
    }
  }
  return ticks;
}

function roundStep(ns: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, ns)));
  const factor = [1, 2, 5, 10].find((step) => step * power >= ns) ?? 10;
  return factor * power;
}

/** Whether waiting takes so much of the time that the work could hardly be seen. */
export function isMostlyIdle(spans: readonly SpanView[]): boolean {
  const hops = spans.filter((span) => span.role === "hop");
  if (hops.length === 0) return false;
  const { startNs, endNs } = buildScale(spans, false);
  const segments = findSegments(spans, startNs, endNs);
  const idleNs = segments.reduce((sum, segment) => sum + (segment.isBusy ? 0 : segment.weight), 0);
  return idleNs > (endNs - startNs) * 0.5;
}
