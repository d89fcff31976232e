import { useEffect, useRef, useState } from "preact/hooks";
import type { SummaryAnswer } from "../../store/api-types.js";
import { EMPTY_QUERY } from "../model/route.js";
import { Header } from "./header.js";
import { HelpDialog } from "./help-dialog.js";
import { ListView } from "./list-view.js";
import { TraceView } from "./trace-view.js";
import { useKeys } from "./use-keys.js";
import { usePoll } from "./use-poll.js";
import { go, useRoute } from "./use-route.js";
import { useTheme } from "./use-theme.js";

const REFRESH_INTERVAL_MS = 1_500;

export function App() {
  const route = useRoute();
  const { theme, cycle } = useTheme();
  const [isLive, setLive] = useState(true);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const intervalMs = isLive ? REFRESH_INTERVAL_MS : 0;
  const { answer: summary, error } = usePoll<SummaryAnswer>("/api/summary", intervalMs);
  useListPlace(route.view);
  useKeys({
    "?": () => setHelpOpen(true),
    t: cycle,
    p: () => setLive(!isLive),
    "1": () => go({ view: "journeys", query: EMPTY_QUERY }),
    "2": () => go({ view: "paths", query: EMPTY_QUERY }),
  });
  useTitle(summary?.faults ?? 0);
  return (
    <>
      <Header
        route={route}
        summary={summary}
        error={error}
        theme={theme}
        isLive={isLive}
        onTheme={cycle}
        onLive={() => setLive(!isLive)}
        onHelp={() => setHelpOpen(true)}
      />
      <main>
        {error && (
          <p class="problem" role="alert">
            {error}
          </p>
        )}
        {route.view === "trace" ? (
          <TraceView key={route.traceId} route={route} intervalMs={intervalMs} />
        ) : (
          <ListView key={route.view} route={route} summary={summary} intervalMs={intervalMs} />
        )}
      </main>
      {isHelpOpen && <HelpDialog onClose={() => setHelpOpen(false)} />}
    </>
  );
}

/** A trace begins at the top; the list is found again where it was left. */
function useListPlace(view: string): void {
  const listPlace = useRef(0);
  useEffect(() => {
    if (view !== "trace") {
      requestAnimationFrame(() => scrollTo(0, listPlace.current));
      const remember = (): void => {
        listPlace.current = scrollY;
      };
      addEventListener("scroll", remember, { passive: true });
      return () => removeEventListener("scroll", remember);
    }
    scrollTo(0, 0);
    return undefined;
  }, [view]);
}

function useTitle(dropped: number): void {
  useEffect(() => {
    document.title = dropped === 0 ? "skbspan" : `${dropped} dropped · skbspan`;
  }, [dropped]);
}
