import { attributes } from "../map/attributes.js";
import { createAttributePool } from "../map/create-attribute-pool.js";
import { extendRoot } from "../map/extend-root.js";
import type { Attribute, JourneySpans, PacketSpan, SpanLink } from "../map/packet-span.js";
import type { ApplicationSpan } from "./application-span.js";
import type { Owner } from "./direction.js";
import type { Part } from "./find-owner.js";

/** Nobody reads more of them; a segment can carry hundreds of small requests. */
const MAX_LINKS = 32;
/** Few values, whatever the stream: they are encoded once. */
const pool = createAttributePool();

/** Why a journey that belongs to a request is not under it. */
export const pastAttributes = {
  journeys: pool.get(attributes.joinPast, "journeys"),
  spans: pool.get(attributes.joinPast, "spans"),
  trace: pool.get(attributes.joinPast, "trace"),
  time: pool.get(attributes.joinPast, "time"),
};

/** What the root says of the request that the journey belongs to. */
export function readMarks(part: Part, { source, isResponse }: Owner): Attribute[] {
  const marks = [pool.get(attributes.journeyJoin, part), pool.get(attributes.requestSource, source)];
  if (isResponse) marks.push(pool.get(attributes.requestResponse, true));
  return marks;
}

/** The journey as a child of the application's span, with links to those of other traces whose bytes it carries too. */
export function attachJourney(
  journeySpans: JourneySpans,
  { traceId, spanId }: ApplicationSpan,
  owners: readonly Owner[],
  marks: readonly Attribute[],
): JourneySpans {
  return { ...markRoot(journeySpans, marks), traceId, parentSpanId: spanId, links: linksOutside(traceId, owners) };
}

/** The journey in its own trace, with links to the applications' spans. */
export function linkJourney(
  journeySpans: JourneySpans,
  owners: readonly Owner[],
  marks: readonly Attribute[],
): JourneySpans {
  return { ...markRoot(journeySpans, marks), links: linksOutside(journeySpans.traceId, owners) };
}

/** Never a link inside one trace: there everything is in sight already. */
function linksOutside(traceId: Uint8Array, owners: readonly Owner[]): SpanLink[] {
  const spans = new Set<ApplicationSpan>();
  for (const { span } of owners) if (span && Buffer.compare(span.traceId, traceId) !== 0) spans.add(span);
  return [...spans].slice(0, MAX_LINKS);
}

function markRoot(journeySpans: JourneySpans, marks: readonly Attribute[]): JourneySpans {
  const [root, ...rest] = journeySpans.spans;
  return { ...journeySpans, spans: [extendRoot(root as PacketSpan, marks), ...rest] };
}
