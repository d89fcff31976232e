import type { JourneysAnswer, PathsAnswer, SummaryAnswer } from "../../store/api-types.js";
import { EMPTY_QUERY, formatSearch, isFiltered, type ListQuery, type Route } from "../model/route.js";
import { DropSection } from "./drop-section.js";
import { EmptyState } from "./empty-state.js";
import { FilterBar } from "./filter-bar.js";
import { JourneyList } from "./journey-list.js";
import { PathList } from "./path-list.js";
import { moveFocus, useKeys } from "./use-keys.js";
import { usePoll } from "./use-poll.js";
import { replaceRoute } from "./use-route.js";

interface ListViewProps {
  readonly route: Extract<Route, { query: ListQuery }>;
  readonly summary: SummaryAnswer | undefined;
  readonly intervalMs: number;
}

/** Journeys or paths, with the filter that both share. */
export function ListView({ route, summary, intervalMs }: ListViewProps) {
  const { view, query } = route;
  const search = formatSearch(query);
  const journeys = usePoll<JourneysAnswer>(`/api/journeys${search}`, intervalMs);
  const change = (changed: ListQuery): void => replaceRoute({ view, query: changed });
  useKeys({
    j: () => moveFocus("[data-row]", 1),
    k: () => moveFocus("[data-row]", -1),
    ArrowDown: () => moveFocus("[data-row]", 1),
    ArrowUp: () => moveFocus("[data-row]", -1),
    Home: () => moveFocus("[data-row]", "first"),
    End: () => moveFocus("[data-row]", "last"),
    Escape: () => isFiltered(query) && change({ ...EMPTY_QUERY, sort: query.sort }),
  });
  const { answer, error } = journeys;
  if (answer?.total === 0) return <EmptyState summary={summary} />;
  return (
    <>
      <FilterBar
        query={query}
        ends={answer?.ends ?? {}}
        namespaces={answer?.namespaces ?? []}
        hasOrder={view === "journeys"}
        onChange={change}
      />
      {error && (
        <p class="problem" role="alert">
          {error}
        </p>
      )}
      {answer?.matched === 0 && <p class="nothing">Nothing matches. Press Escape to clear the filter.</p>}
      {view === "journeys" && answer !== undefined && answer.matched > 0 && (
        <>
          <DropSection drops={answer.drops} />
          <JourneyList answer={answer} isOnePath={query.path !== ""} />
        </>
      )}
      {view === "paths" && <Paths search={search} intervalMs={intervalMs} />}
    </>
  );
}

function Paths({ search, intervalMs }: { readonly search: string; readonly intervalMs: number }) {
  const { answer } = usePoll<PathsAnswer>(`/api/paths${search}`, intervalMs);
  if (answer === undefined || answer.matched === 0) return null;
  return <PathList paths={answer.paths} matched={answer.matched} />;
}
