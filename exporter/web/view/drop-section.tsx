import type { DropGroup } from "../../store/api-types.js";
import { formatClock, formatCount } from "../model/format.js";
import { EMPTY_QUERY, formatRoute } from "../model/route.js";
import { Advice } from "./advice.js";

/** As many causes as fit above the list without hiding it. */
const SHOWN_CAUSES = 4;

/** Why packets were dropped, above everything else. */
export function DropSection({ drops }: { readonly drops: readonly DropGroup[] }) {
  if (drops.length === 0) return null;
  const hidden = drops.length - SHOWN_CAUSES;
  return (
    <section class="drops" aria-labelledby="drops-title">
      <h2 id="drops-title">
        <span aria-hidden="true">✕</span> Dropped packets
      </h2>
      <div class="drop-cards">
        {drops.slice(0, SHOWN_CAUSES).map((group) => (
          <DropCard key={`${group.reason} ${group.function} ${group.namespace}`} group={group} />
        ))}
      </div>
      {hidden > 0 && (
        <a href={formatRoute({ view: "journeys", query: { ...EMPTY_QUERY, end: "dropped" } })}>
          {formatCount(hidden, "more cause")}
        </a>
      )}
    </section>
  );
}

function DropCard({ group }: { readonly group: DropGroup }) {
  const { latest, count, reason, advice } = group;
  const query = { ...EMPTY_QUERY, end: "dropped", text: `${reason} ${group.function}` };
  return (
    <article class="drop-card">
      <a
        class="drop-main"
        data-row
        href={formatRoute({ view: "trace", traceId: latest.traceId, journeyId: latest.spanId, spanId: "" })}
      >
        <b class="reason">{reason}</b>
        <span class="drop-where">
          in <code>{group.function}</code> · {group.namespace}
        </span>
        <span class="drop-what">
          {group.transport}
          {group.destination && (
            <>
              {" to "}
              <code>{group.destination}</code>
            </>
          )}
        </span>
        {advice && (
          <span class="advice">
            <Advice text={advice} />
          </span>
        )}
      </a>
      <p class="drop-foot">
        <a href={formatRoute({ view: "journeys", query })}>{formatCount(count, "packet")}</a>
        <span>last {formatClock(latest.startUnixNs)}</span>
      </p>
    </article>
  );
}
