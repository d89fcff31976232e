import { memo } from "preact/compat";
import type { JourneySummary, JourneysAnswer } from "../../store/api-types.js";
import { formatClock, formatCount, formatDate, formatDuration, formatEndpoint } from "../model/format.js";
import { formatRoute } from "../model/route.js";
import { EndBadge } from "./end-badge.js";
import { NamespaceTrail } from "./namespace-trail.js";

/** The longest bar of the list; bars are on a logarithmic scale, from one microsecond. */
const SHORTEST_BAR_NS = 1_000;

interface JourneyListProps {
  readonly answer: JourneysAnswer;
  readonly isOnePath: boolean;
}

export function JourneyList({ answer, isOnePath }: JourneyListProps) {
  const { journeys, matched } = answer;
  const longestNs = journeys.reduce((most, { durationNs }) => Math.max(most, durationNs), SHORTEST_BAR_NS * 10);
  return (
    <section aria-labelledby="journeys-title">
      <h2 id="journeys-title" class="list-title">
        {describeMatched(answer)}
        {isOnePath && <small> of one path</small>}
        {journeys.length < matched && <small> · the first {journeys.length} rows are shown</small>}
      </h2>
      <ol class="journeys">
        {journeys.map((journey) => (
          <JourneyRow key={journey.traceId + journey.spanId} journey={journey} longestNs={longestNs} />
        ))}
      </ol>
    </section>
  );
}

function describeMatched({ matched, matchedApplications }: JourneysAnswer): string {
  const journeys = matched - matchedApplications;
  return [
    journeys > 0 || matchedApplications === 0 ? formatCount(journeys, "journey") : "",
    matchedApplications > 0 ? formatCount(matchedApplications, "application trace") : "",
  ]
    .filter((count) => count !== "")
    .join(" · ");
}

interface JourneyRowProps {
  readonly journey: JourneySummary;
  readonly longestNs: number;
}

const JourneyRow = memo(function JourneyRow({ journey, longestNs }: JourneyRowProps) {
  const { kind, traceId, spanId, drop } = journey;
  const isApplication = kind === "application";
  const href = formatRoute({ view: "trace", traceId, journeyId: isApplication ? "" : spanId, spanId: "" });
  const share = Math.log(Math.max(1, journey.durationNs / SHORTEST_BAR_NS)) / Math.log(longestNs / SHORTEST_BAR_NS);
  return (
    <li>
      <a class={`journey ${journey.failed ? "is-fault" : ""}`} data-row href={href}>
        <time class="j-time" title={formatDate(journey.startUnixNs)}>
          {formatClock(journey.startUnixNs)}
        </time>
        <EndBadge end={journey.end || kind} isFault={journey.failed} />
        <span class="j-what">{isApplication ? <Application journey={journey} /> : <Packet journey={journey} />}</span>
        <span class="j-way">
          <NamespaceTrail namespaces={journey.namespaces} />
          {journey.problem !== undefined && <span class="j-reason is-fault">{journey.problem}</span>}
          {drop && (
            <span class={journey.failed ? "j-reason is-fault" : "j-reason"}>
              {drop.reason} <code>{drop.function}</code>
            </span>
          )}
        </span>
        <span class="j-hops">{formatCount(journey.hops, isApplication ? "span" : "hop")}</span>
        <span class="j-duration">
          <span class="j-bar" aria-hidden="true">
            <i style={{ width: `${Math.min(100, share * 100)}%` }} />
          </span>
          {formatDuration(journey.durationNs)}
        </span>
      </a>
    </li>
  );
}, isSameRow);

/** With every answer come new objects of the same journeys: only those that grew are drawn again. */
function isSameRow(before: JourneyRowProps, after: JourneyRowProps): boolean {
  const [a, b] = [before.journey, after.journey];
  return (
    before.longestNs === after.longestNs &&
    a.durationNs === b.durationNs &&
    a.hops === b.hops &&
    a.packets === b.packets &&
    a.failedPackets === b.failedPackets &&
    a.url === b.url &&
    a.problem === b.problem &&
    a.request === b.request &&
    a.failed === b.failed
  );
}

function Application({ journey: { name, url, packets, failedPackets } }: { readonly journey: JourneySummary }) {
  return (
    <>
      <b>{name}</b>
      {url && <code class="endpoints">{url}</code>}
      {packets > 0 && (
        <span class="tag">
          {formatCount(packets, "packet")}
          {failedPackets > 0 && `, ${failedPackets} dropped`}
        </span>
      )}
    </>
  );
}

function Packet({ journey }: { readonly journey: JourneySummary }) {
  const { transport, tcpFlags, source, destination } = journey;
  return (
    <>
      <b class="proto">{transport}</b>
      {tcpFlags && <span class="flags">{tcpFlags}</span>}
      {source && (
        <code class="endpoints">
          {formatEndpoint(source)} → {formatEndpoint(destination)}
        </code>
      )}
      {journey.joined && (
        <span class="tag" title="It is part of an application's trace">
          {journey.request ?? "part of an application's trace"}
        </span>
      )}
    </>
  );
}
