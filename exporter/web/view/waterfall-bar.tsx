import type { SpanView } from "../../store/api-types.js";
import type { Scale } from "../model/build-scale.js";
import { isRewrite, readChanges } from "../model/read-changes.js";

/** The bar of a span, and beside it what happened there. */
export function WaterfallBar({ span, scale }: { readonly span: SpanView; readonly scale: Scale }) {
  const from = scale.position(span.startNs);
  const to = scale.position(span.startNs + span.durationNs);
  const note = describe(span);
  return (
    <>
      <span class="bar" style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }} />
      {note !== "" && <Note text={note} from={from} to={to} />}
    </>
  );
}

/** A character's share of the waterfall where that is narrow. */
const CHARACTER = 0.018;

/** Stands right of the bar, left of it when there is more room, and on it when there is too little on both sides. */
function Note({ text, from, to }: { readonly text: string; readonly from: number; readonly to: number }) {
  const isLeft = from > 1 - to;
  const isOnBar = Math.max(from, 1 - to) < text.length * CHARACTER && to - from > CHARACTER;
  const place = isOnBar
    ? { left: `${from * 100}%` }
    : isLeft
      ? { right: `${(1 - from) * 100}%` }
      : { left: `${to * 100}%` };
  return (
    <span class={`note ${isOnBar ? "is-on-bar" : ""}`} style={place}>
      {text}
    </span>
  );
}

function describe(span: SpanView): string {
  if (span.role === "journey") return describePacket(span);
  const reason = span.attributes["skb.drop.reason"];
  if (typeof reason === "string") return `✕ ${reason}`;
  const changes = readChanges(span).filter(isRewrite);
  if (changes.length > 0) return changes.map(({ field, after }) => `${field} → ${after}`).join(", ");
  return span.failed ? `! ${span.statusMessage}` : "";
}

/** Of a packet in an application's trace: what it is to the request. */
function describePacket({ attributes }: SpanView): string {
  const part = attributes["journey.join"];
  if (typeof part !== "string") return "";
  const isResponse = attributes["journey.request.response"] === true;
  const leftOut = attributes["journey.left_out.journeys"];
  const words = [
    `${part}${isResponse ? " of the response" : ""}`,
    ...(typeof leftOut === "number" ? [`${leftOut} more packets are not here`] : []),
  ];
  return words.join("; ");
}
