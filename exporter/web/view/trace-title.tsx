import type { JourneySummary, SpanView, TraceAnswer } from "../../store/api-types.js";
import { formatClock, formatCount, formatDate, formatDuration, formatEndpoint } from "../model/format.js";
import { EndBadge } from "./end-badge.js";

interface TraceTitleProps {
  readonly trace: TraceAnswer;
  readonly journey: JourneySummary | undefined;
  readonly root: SpanView | undefined;
}

export function TraceTitle({ trace, journey, root }: TraceTitleProps) {
  return (
    <div class="title">
      <a class="back" href="#/journeys" title="Back to the list (Escape)">
        ‹ Journeys
      </a>
      <h1>{journey ? <JourneyHeading journey={journey} /> : <ApplicationHeading trace={trace} root={root} />}</h1>
      <p class="facts">
        <span title={formatDate(journey?.startUnixNs ?? trace.startUnixNs)}>
          {formatClock(journey?.startUnixNs ?? trace.startUnixNs)}
        </span>
        <span>{formatDuration(journey?.durationNs ?? trace.durationNs)}</span>
        {journey && <span>{formatCount(journey.hops, "hop")}</span>}
        {journey && journey.lengthBytes > 0 && <span>{formatCount(journey.lengthBytes, "byte")}</span>}
        {journey && journey.lostHops > 0 && <span class="warn">{formatCount(journey.lostHops, "hop")} lost</span>}
        {journey && !journey.complete && (
          <span class="warn" title="Its start or end was not seen, or hops are missing">
            incomplete
          </span>
        )}
        <span class="trace-id">
          trace <code>{trace.traceId}</code>
        </span>
      </p>
    </div>
  );
}

function JourneyHeading({ journey }: { readonly journey: JourneySummary }) {
  const { transport, tcpFlags, source, destination, end, failed } = journey;
  return (
    <>
      <EndBadge end={end} isFault={failed} />
      <span class="proto">{transport || journey.name}</span>
      {tcpFlags && <span class="flags">{tcpFlags}</span>}
      {source && (
        <code class="endpoints">
          {formatEndpoint(source)} → {formatEndpoint(destination)}
        </code>
      )}
    </>
  );
}

function ApplicationHeading({ trace, root }: { readonly trace: TraceAnswer; readonly root: SpanView | undefined }) {
  const url = trace.journeys.find(({ kind }) => kind === "application")?.url;
  return (
    <>
      <span>{root?.name ?? "trace"}</span>
      {url && <code class="endpoints">{url}</code>}
      <small>
        {formatCount(trace.spans.length, "span")} of{" "}
        {[...new Set(trace.resources.map(({ label }) => label))].join(", ")}
      </small>
    </>
  );
}
