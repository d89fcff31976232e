import type { ResourceView, SpanView } from "../../store/api-types.js";
import type { Scale } from "../model/build-scale.js";
import { laneColour } from "./lane-colour.js";

interface LaneOverviewProps {
  readonly spans: readonly SpanView[];
  readonly resources: readonly ResourceView[];
  readonly scale: Scale;
}

interface Lane {
  readonly resource: number;
  readonly bars: readonly { readonly fromNs: number; readonly toNs: number }[];
  readonly waits: readonly SpanView[];
  readonly drop: SpanView | undefined;
}

/** A line a namespace: when the packet was where. */
export function LaneOverview({ spans, resources, scale }: LaneOverviewProps) {
  const lanes = buildLanes(spans);
  if (lanes.length < 2) return null;
  return (
    <div class="lanes" aria-hidden="true">
      {lanes.map((lane) => {
        const label = resources[lane.resource]?.label ?? "";
        return (
          <div key={lane.resource} class="lane-line" style={{ "--lane": laneColour(label) }}>
            <span class="lane-name">{label}</span>
            <span class="lane-bars">
              {lane.waits.map((wait) => (
                <i key={wait.id} class="lane-wait" style={place(scale, wait.startNs, wait.startNs + wait.durationNs)} />
              ))}
              {lane.bars.map(({ fromNs, toNs }) => (
                <i key={fromNs} class="lane-bar" style={place(scale, fromNs, toNs)} />
              ))}
              {lane.drop && (
                <i
                  class="lane-drop"
                  style={{ left: `${scale.position(lane.drop.startNs + lane.drop.durationNs) * 100}%` }}
                >
                  ✕
                </i>
              )}
            </span>
          </div>
        );
      })}
    </div>
  );
}

function place(scale: Scale, fromNs: number, toNs: number): { left: string; width: string } {
  const from = scale.position(fromNs);
  return { left: `${from * 100}%`, width: `${(scale.position(toNs) - from) * 100}%` };
}

/**
 * Neighbouring and overlapping hops of a namespace become one bar; the journey's own span is none, nor are those of the application
 * around its packets.
 */
function buildLanes(spans: readonly SpanView[]): Lane[] {
  const lanes = new Map<
    number,
    { resource: number; bars: { fromNs: number; toNs: number }[]; waits: SpanView[]; drop: SpanView | undefined }
  >();
  const hasHops = spans.some(({ role }) => role === "hop");
  for (const span of spans) {
    if (span.role === "journey" || (span.role === "application" && hasHops)) continue;
    const lane = lanes.get(span.resource) ?? { resource: span.resource, bars: [], waits: [], drop: undefined };
    lanes.set(span.resource, lane);
    if (span.role === "wait") {
      lane.waits.push(span);
      continue;
    }
    if (span.failed && span.role === "hop") lane.drop = span;
    const toNs = span.startNs + span.durationNs;
    const last = lane.bars.at(-1);
    if (last !== undefined && span.startNs <= last.toNs) last.toNs = Math.max(last.toNs, toNs);
    else lane.bars.push({ fromNs: span.startNs, toNs });
  }
  return [...lanes.values()];
}
