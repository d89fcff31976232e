import type { PathView } from "../../store/api-types.js";
import { formatCount, formatDuration } from "../model/format.js";
import { EMPTY_QUERY, formatRoute } from "../model/route.js";
import { EndBadge } from "./end-badge.js";
import { NamespaceTrail } from "./namespace-trail.js";

export function PathList({ paths, matched }: { readonly paths: readonly PathView[]; readonly matched: number }) {
  return (
    <section aria-labelledby="paths-title">
      <h2 id="paths-title" class="list-title">
        {formatCount(matched, "path")}
        <small> · journeys that took the same functions in the same order</small>
      </h2>
      <ol class="paths">
        {paths.map((path) => (
          <PathRow key={path.pathId} path={path} />
        ))}
      </ol>
    </section>
  );
}

function PathRow({ path }: { readonly path: PathView }) {
  const reasons = Object.keys(path.dropReasons);
  return (
    <li>
      <a class="path" data-row href={formatRoute({ view: "journeys", query: { ...EMPTY_QUERY, path: path.pathId } })}>
        <span class="p-count">
          <b>{path.count.toLocaleString("en")}</b>
          <small>{path.count === 1 ? "journey" : "journeys"}</small>
        </span>
        <span class="p-body">
          <span class="p-head">
            {Object.entries(path.ends).map(([end]) => (
              <EndBadge key={end} end={end} isFault={end === "dropped" && path.latest.failed} />
            ))}
            <b class="proto">{path.transports.join(", ")}</b>
            <NamespaceTrail namespaces={path.namespaces} />
            {reasons.length > 0 && (
              <span class={path.latest.failed ? "j-reason is-fault" : "j-reason"}>{reasons.join(", ")}</span>
            )}
          </span>
          <FunctionTrail functions={path.functions} />
        </span>
        <span class="p-times">
          <span>
            <small>p50</small> {formatDuration(path.p50Ns)}
          </span>
          <span>
            <small>p99</small> {formatDuration(path.p99Ns)}
          </span>
        </span>
      </a>
    </li>
  );
}

const SHOWN_FUNCTIONS = 5;

/** The first and the last functions: what is between is much the same on most paths. */
function FunctionTrail({ functions }: { readonly functions: readonly string[] }) {
  const isShort = functions.length <= SHOWN_FUNCTIONS * 2;
  const first = isShort ? functions : functions.slice(0, SHOWN_FUNCTIONS);
  const last = isShort ? [] : functions.slice(-SHOWN_FUNCTIONS);
  return (
    <span class="functions" title={functions.join("\n")}>
      <code>{first.join(" › ")}</code>
      {!isShort && (
        <>
          <span class="more"> › {functions.length - SHOWN_FUNCTIONS * 2} more › </span>
          <code>{last.join(" › ")}</code>
        </>
      )}
    </span>
  );
}
