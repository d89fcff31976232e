import type { SummaryAnswer } from "../../store/api-types.js";
import { formatCount } from "../model/format.js";
import { EMPTY_QUERY, formatRoute, type Route } from "../model/route.js";
import type { Theme } from "./use-theme.js";

interface HeaderProps {
  readonly route: Route;
  readonly summary: SummaryAnswer | undefined;
  readonly error: string;
  readonly theme: Theme;
  readonly isLive: boolean;
  onTheme(): void;
  onLive(): void;
  onHelp(): void;
}

export function Header({ route, summary, error, theme, isLive, onTheme, onLive, onHelp }: HeaderProps) {
  return (
    <header class="top">
      <a class="brand" href="#/journeys">
        <img src="/icon.svg" alt="" width="22" height="22" />
        skbspan
      </a>
      <nav class="tabs" aria-label="Views">
        <Tab view="journeys" isCurrent={route.view !== "paths"}>
          Journeys
        </Tab>
        <Tab view="paths" isCurrent={route.view === "paths"}>
          Paths
        </Tab>
      </nav>
      <Counts summary={summary} />
      <div class="tools">
        <button
          type="button"
          class={`tool live ${isLive && error === "" ? "is-live" : ""}`}
          aria-pressed={isLive}
          aria-label="Live"
          onClick={onLive}
          title="Stop or go on updating (p)"
        >
          <span class="pulse" aria-hidden="true" />
          <span class="wide-only">{isLive ? "Live" : "Paused"}</span>
        </button>
        <button
          type="button"
          class="tool"
          onClick={onTheme}
          title="Colours: auto, light, dark (t)"
          aria-label={`Colours: ${theme}`}
        >
          <span aria-hidden="true">{theme === "auto" ? "◐" : theme === "light" ? "○" : "●"}</span>
          <span class="wide-only">{theme}</span>
        </button>
        <button type="button" class="tool" onClick={onHelp} title="Keys (?)" aria-label="Help and keys">
          ?
        </button>
      </div>
    </header>
  );
}

function Tab({ view, isCurrent, children }: { view: "journeys" | "paths"; isCurrent: boolean; children: string }) {
  return (
    <a href={formatRoute({ view, query: EMPTY_QUERY })} class="tab" aria-current={isCurrent ? "page" : undefined}>
      {children}
    </a>
  );
}

function Counts({ summary }: { readonly summary: SummaryAnswer | undefined }) {
  if (summary === undefined) return <p class="counts" />;
  const { journeys, faults, applications, store } = summary;
  return (
    <p class="counts">
      <span>{formatCount(journeys, "journey")}</span>
      <span class={faults > 0 ? "has-drops" : ""}>{formatCount(faults, "dropped", "dropped")}</span>
      {applications > 0 && <span>{formatCount(applications, "application trace")}</span>}
      {store.evictedTraces > 0 && (
        <span title="The store is bounded: the oldest traces went to make room">
          {formatCount(store.evictedTraces, "forgotten", "forgotten")}
        </span>
      )}
      {store.refusedSpans > 0 && <span>{formatCount(store.refusedSpans, "span")} refused</span>}
    </p>
  );
}
