import { useEffect, useMemo, useState } from "preact/hooks";
import type { JourneySummary, SpanView, TraceAnswer } from "../../store/api-types.js";
import { buildMap, findDrop } from "../model/build-map.js";
import { isMostlyIdle } from "../model/build-scale.js";
import { formatCount } from "../model/format.js";
import { EMPTY_QUERY, type Route } from "../model/route.js";
import { buildSpanTree, flatten, type SpanTree } from "../model/span-tree.js";
import { DropBanner } from "./drop-banner.js";
import { PathMap } from "./path-map.js";
import { SpanPanel } from "./span-panel.js";
import { TraceTitle } from "./trace-title.js";
import { useKeys } from "./use-keys.js";
import { usePoll } from "./use-poll.js";
import { go, replaceRoute } from "./use-route.js";
import { Waterfall } from "./waterfall.js";

type TraceRoute = Extract<Route, { view: "trace" }>;

/** One journey, or a whole trace: what happened, where it went, and every hop. */
export function TraceView({ route, intervalMs }: { readonly route: TraceRoute; readonly intervalMs: number }) {
  const { answer, error } = usePoll<TraceAnswer>(`/api/traces/${encodeURIComponent(route.traceId)}`, intervalMs);
  useKeys(answer === undefined ? { Escape: goBack } : {});
  if (answer === undefined) {
    return (
      <section class="trace">
        <a class="back" href="#/journeys">
          ‹ Journeys
        </a>
        {error && (
          <p class="problem" role="alert">
            {error}
          </p>
        )}
      </section>
    );
  }
  return <LoadedTrace key={route.journeyId} trace={answer} route={route} />;
}

function LoadedTrace({ trace, route }: { readonly trace: TraceAnswer; readonly route: TraceRoute }) {
  const tree = useMemo(() => buildSpanTree(trace.spans), [trace]);
  const root = tree.get(route.journeyId);
  const journey = trace.journeys.find(({ spanId, kind }) => kind === "journey" && spanId === route.journeyId);
  const top = useMemo(() => (root ? [root] : tree.roots), [tree, root]);
  const spans = useMemo(() => inOrder(trace, flatten(tree, top)), [trace, tree, top]);
  const dropped = journey ?? (root ? undefined : trace.journeys.find(({ drop, failed }) => drop && failed));
  const drop = useMemo(
    () => dropped && findDrop(inOrder(trace, flatten(tree, [tree.get(dropped.spanId)].filter(isPresent)))),
    [trace, tree, dropped?.spanId],
  );
  const stations = useMemo(() => (journey ? buildMap(spans) : []), [journey, spans]);
  const idle = useMemo(() => isMostlyIdle(spans), [spans]);
  const [wish, setWish] = useState<boolean | undefined>(undefined);
  const isCompressed = wish ?? idle;
  const [isPanelOpen, setPanelOpen] = useState(false);
  const [selectedId, setSelectedId] = useSelection(route);
  const selected = tree.get(selectedId) ?? drop ?? top[0];

  const select = (span: SpanView): void => setSelectedId(span.id);
  const show = (spanId: string): void => {
    const span = tree.get(spanId);
    if (span === undefined) return;
    select(span);
    focusRow(span.id);
  };
  useKeys({
    Escape: () => (isPanelOpen ? setPanelOpen(false) : goBack()),
    d: () => drop && show(drop.id),
    w: () => setWish(!isCompressed),
  });

  return (
    <section class={`trace ${isPanelOpen ? "has-panel" : ""}`}>
      <TraceTitle trace={trace} journey={journey} root={root ?? top[0]} />
      {holdsMore(trace) && <Scope trace={trace} route={route} tree={tree} />}
      {dropped?.drop && (
        <DropBanner
          journey={dropped}
          drop={dropped.drop}
          message={drop?.statusMessage || tree.get(dropped.spanId)?.statusMessage || ""}
          onShow={() => drop && show(drop.id)}
        />
      )}
      {stations.length > 0 && <PathMap stations={stations} resources={trace.resources} onShow={show} />}
      <div class="work">
        <Waterfall
          trace={trace}
          tree={tree}
          top={top}
          spans={spans}
          selectedId={selected?.id ?? ""}
          isCompressed={isCompressed}
          onCompress={() => setWish(!isCompressed)}
          onSelect={select}
          onOpen={(span) => {
            select(span);
            setPanelOpen(true);
          }}
        />
        {selected && (
          <SpanPanel
            span={selected}
            resource={trace.resources[selected.resource]}
            onClose={() => setPanelOpen(false)}
          />
        )}
      </div>
    </section>
  );
}

/** Browsers allow some 200 changes of the address in 30 s; a held arrow key makes more. */
const ADDRESS_DELAY_MS = 300;

/** The selected span: at once on the page, a little later in the address. */
function useSelection(route: TraceRoute): [string, (spanId: string) => void] {
  const [spanId, setSpanId] = useState(route.spanId);
  useEffect(() => setSpanId(route.spanId), [route.spanId]);
  useEffect(() => {
    if (spanId === route.spanId) return undefined;
    const timer = setTimeout(() => replaceRoute({ ...route, spanId }), ADDRESS_DELAY_MS);
    return () => clearTimeout(timer);
  }, [spanId]);
  return [spanId, setSpanId];
}

/** As the answer has them: by start. */
function inOrder(trace: TraceAnswer, chosen: readonly SpanView[]): SpanView[] {
  const ids = new Set(chosen.map(({ id }) => id));
  return trace.spans.filter(({ id }) => ids.has(id));
}

function isPresent(span: SpanView | undefined): span is SpanView {
  return span !== undefined;
}

function holdsMore({ journeys, spans }: TraceAnswer): boolean {
  if (journeys.every(({ kind }) => kind !== "journey")) return false;
  return journeys.length > 1 || spans.some(({ role }) => role === "application");
}

/** A trace with more than this journey: its other journeys, and the application's spans around them. */
function Scope({
  trace,
  route,
  tree,
}: {
  readonly trace: TraceAnswer;
  readonly route: TraceRoute;
  readonly tree: SpanTree;
}) {
  const journeys = trace.journeys.filter(({ kind }) => kind === "journey");
  const show = (journeyId: string): void => replaceRoute({ ...route, journeyId, spanId: "" });
  const parent = tree.get(tree.get(route.journeyId)?.parentId ?? "");
  return (
    <p class="scope">
      <label>
        Show{" "}
        <select value={route.journeyId} onChange={(event) => show(event.currentTarget.value)}>
          <option value="">
            the whole trace: {formatCount(trace.spans.length, "span")}, {formatCount(journeys.length, "journey")}
          </option>
          {journeys.map((journey, index) => (
            <option key={journey.spanId} value={journey.spanId}>
              {nameJourney(journey, index)}
            </option>
          ))}
        </select>
      </label>
      {parent && (
        <span>
          sent by <code>{parent.name}</code> of {trace.resources[parent.resource]?.label}
        </span>
      )}
    </p>
  );
}

function nameJourney({ name, end, tcpFlags, namespaces }: JourneySummary, index: number): string {
  return [`${index + 1}.`, name, tcpFlags, end, namespaces.join(" › ")].filter((word) => word !== "").join(" ");
}

/** To the list as it was, with its filter and its place, when there is one in the history. */
function goBack(): void {
  if (history.length > 1) history.back();
  else go({ view: "journeys", query: EMPTY_QUERY });
}

function focusRow(spanId: string): void {
  // After the row has been drawn as the selected one.
  requestAnimationFrame(() => {
    const row = document.getElementById(`span-${spanId}`);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "center" });
  });
}
