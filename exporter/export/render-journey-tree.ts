import type { Journey } from "../decode/frame.js";
import { type AttributeDefinition, attributes } from "../map/attributes.js";
import { formatEndpoint, hasPorts, nameTcpFlags } from "../map/describe-packet.js";
import type { Attribute, JourneySpans, PacketSpan } from "../map/packet-span.js";
import { formatDuration } from "./format-duration.js";

/** How parts of the text are to look. */
export interface TextStyle {
  strong(text: string): string;
  faint(text: string): string;
  bad(text: string): string;
  changed(text: string): string;
  /** The same colour for the same namespace. */
  namespace(label: string, text: string): string;
}

const plain = (text: string): string => text;
export const plainStyle: TextStyle = {
  strong: plain,
  faint: plain,
  bad: plain,
  changed: plain,
  namespace: (_, text) => text,
};

const MAX_LABEL = 24;

/** A journey for a person: a line of what it was, a line a hop, and for a drop why and what to do. */
export function renderJourneyTree(journeySpans: JourneySpans, style: TextStyle): string {
  const { spans, journey } = journeySpans;
  const root = spans[0];
  if (!root) return "";
  const children = childrenOf(spans);
  const width = Math.min(MAX_LABEL, Math.max(...spans.map((span) => span.shape.identity.label.length)));
  const lines = [renderHeading(journeySpans, root, style)];
  const walk = (index: number, depth: number): void => {
    for (const child of children[index] ?? []) {
      const span = spans[child];
      if (!span) continue;
      lines.push(renderSpan(span, depth, width, style));
      for (const change of changesOf(span))
        lines.push(`  ${" ".repeat(width + 26 + 2 * depth)}${style.changed(change)}`);
      walk(child, depth + 1);
    }
  };
  walk(0, 0);
  for (const change of changesOf(root)) lines.push(`  ${style.changed(change)}`);
  lines.push(...renderPassed(root), ...renderRequest(journeySpans, root), ...renderEnd(journey, root, style));
  return `${lines.join("\n")}\n`;
}

function childrenOf(spans: readonly PacketSpan[]): number[][] {
  const children: number[][] = spans.map(() => []);
  spans.forEach((span, index) => {
    children[span.parent]?.push(index);
  });
  for (const list of children)
    list.sort((a, b) => (spans[a]?.startOffsetNs ?? 0) - (spans[b]?.startOffsetNs ?? 0) || a - b);
  return children;
}

function renderHeading(journeySpans: JourneySpans, root: PacketSpan, style: TextStyle): string {
  const { journey } = journeySpans;
  const parts = [style.faint(formatTime(journeySpans.startRealtimeNs)), style.strong(root.shape.name)];
  const context = journey.contexts[0];
  if (context?.sourceAddress) {
    const source = formatEndpoint(context.sourceAddress, context.sourcePort, hasPorts(context));
    const destination = formatEndpoint(context.destinationAddress, context.destinationPort, hasPorts(context));
    parts.push(`${source} -> ${destination}`);
  }
  if (context?.hasTransport && context.transport === 6) parts.push(nameTcpFlags(context.tcpFlags));
  if (context) parts.push(`${context.lengthBytes} bytes`);
  const process = textOf(root, attributes.processPid);
  if (process !== undefined)
    parts.push(`by ${textOf(root, attributes.processExecutableName) ?? "process"}[${process}]`);
  return parts.join("  ");
}

function renderSpan(span: PacketSpan, depth: number, width: number, style: TextStyle): string {
  const label = span.shape.identity.label;
  const shown = label.length > MAX_LABEL ? `${label.slice(0, MAX_LABEL - 1)}…` : label;
  const isInferred = span.shape.attributes.some((attribute) => attribute.definition === attributes.hopDurationInferred);
  const isMoment = span.durationNs === 0;
  const duration = isMoment ? "" : `${isInferred ? "~" : ""}${formatDuration(span.durationNs)}`;
  const offset = `+${formatDuration(Math.max(0, span.startOffsetNs))}`;
  const returned = textOf(span, attributes.hopReturnValue);
  const hops = textOf(span, attributes.layerHops);
  const note = hops === undefined ? (returned === undefined ? "" : ` = ${returned}`) : `, ${nameHops(hops)}`;
  const name = `${span.shape.name}${note === "" ? "" : style.faint(note)}`;
  const shownName = span.fault
    ? style.bad(`${name}  <-- dropped here`)
    : span.shape.kind === "wait"
      ? style.faint(name)
      : name;
  return `  ${style.namespace(label, shown.padEnd(width))}  ${style.faint(offset.padStart(10))}  ${duration.padStart(10)}  ${"  ".repeat(depth)}${shownName}`;
}

function nameHops(count: string): string {
  return count === "1" ? "1 hop" : `${count} hops`;
}

/** What the root says in place of the spans that are not there. */
function renderPassed(root: PacketSpan): string[] {
  const layers = attributeOf(root, attributes.journeyLayers)?.value;
  if (typeof layers !== "object") return [];
  const waits = Number(textOf(root, attributes.journeyWaits));
  const waitNs = Number(textOf(root, attributes.journeyWaitDuration));
  const longest = textOf(root, attributes.journeyLongestWait);
  const waited =
    waits === 0
      ? ""
      : `; waited ${waits === 1 ? "once" : `${waits} times`}, ${formatDuration(waitNs)}, longest in the ${longest}`;
  return [`  hops in ${layers.join(", ")}${waited}`];
}

/** Whose the packet is. */
function renderRequest({ traceId, parentSpanId, links }: JourneySpans, root: PacketSpan): string[] {
  const part = textOf(root, attributes.journeyJoin);
  if (part === undefined) return [];
  const isResponse = textOf(root, attributes.requestResponse) === "true";
  const what = `${part} of ${isResponse ? "the response to " : ""}the request`;
  const by = `(${textOf(root, attributes.requestSource)})`;
  const past = textOf(root, attributes.joinPast);
  const linked = links.map((link) => `${toHex(link.traceId)}:${toHex(link.spanId)}`);
  return [
    ...(parentSpanId
      ? [`  ${what} of span ${toHex(parentSpanId)}, trace ${toHex(traceId)} ${by}`]
      : [`  ${what} ${by}`]),
    ...(linked.length > 0 ? [`  linked to ${linked.join(", ")}${past === undefined ? "" : `: past its ${past}`}`] : []),
    ...renderLeftOut(root),
  ];
}

function renderLeftOut(root: PacketSpan): string[] {
  const journeys = textOf(root, attributes.leftOutJourneys);
  if (journeys === undefined) return [];
  const spans = textOf(root, attributes.leftOutSpans);
  return [`  so far ${journeys} journeys of ${spans} spans were left out of that trace`];
}

function toHex(id: Uint8Array): string {
  return Buffer.from(id).toString("hex");
}

function renderEnd(journey: Journey, root: PacketSpan, style: TextStyle): string[] {
  const lost = journey.lostHops > 0 ? `, ${journey.lostHops} hops lost` : "";
  const summary = `${journey.hops.length} hops in ${formatDuration(Math.max(0, journey.durationNs))}${lost}`;
  const inferred = journey.isEndInferred ? " (concluded, not seen)" : "";
  const reason = textOf(root, attributes.dropReason);
  if (reason === undefined) return [`  ${journey.end}${inferred}, ${summary}`];
  const location = textOf(root, attributes.dropLocation);
  const advice = textOf(root, attributes.dropAdvice);
  const text = `dropped: ${reason}${location === undefined ? "" : ` at ${location}`}`;
  if (!root.fault) return [`  ${text} (not a fault), ${summary}`];
  const meaning = root.fault.description.split(": ").slice(1).join(": ");
  return [
    `  ${style.bad(text)}, ${summary}`,
    ...(meaning === "" ? [] : [`  ${style.bad(meaning)}.`]),
    ...(advice === undefined ? [] : [`  ${advice}`]),
  ];
}

function attributeOf(span: PacketSpan, definition: AttributeDefinition): Attribute | undefined {
  const isIt = (attribute: Attribute): boolean => attribute.definition === definition;
  return span.extra?.find(isIt) ?? span.shape.attributes.find(isIt);
}

function textOf(span: PacketSpan, definition: AttributeDefinition): string | undefined {
  const attribute = attributeOf(span, definition);
  return attribute === undefined ? undefined : String(attribute.value);
}

function changesOf(span: PacketSpan): readonly string[] {
  const value = attributeOf(span, attributes.skbChanged)?.value;
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** Time of day with microseconds, in UTC. */
function formatTime(realtimeNs: bigint): string {
  const date = new Date(Number(realtimeNs / 1_000_000n));
  const micros = String((realtimeNs / 1000n) % 1000n).padStart(3, "0");
  return `${date.toISOString().slice(11, 23)}${micros}`;
}
