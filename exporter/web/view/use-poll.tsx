import { useEffect, useState } from "preact/hooks";
import type { ErrorAnswer } from "../../store/api-types.js";

export interface Polled<Answer> {
  readonly answer: Answer | undefined;
  /** What went wrong last, in words; empty when the last request was answered. */
  readonly error: string;
}

const AWAY = "skbspan does not answer: is it still running? This page goes on trying.";

/**
 * Asks again and again, so that the page is live; keeps the last answer when the server is away. Nothing is rendered
 * again as long as nothing has changed, and a hidden page does not ask.
 * @param intervalMs 0: ask once
 */
export function usePoll<Answer>(url: string, intervalMs: number): Polled<Answer> {
  const [polled, setPolled] = useState<Polled<Answer>>({ answer: undefined, error: "" });

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let etag = "";

    async function ask(): Promise<void> {
      if (!document.hidden || etag === "") await askOnce();
      if (intervalMs > 0 && !abort.signal.aborted) timer = setTimeout(ask, intervalMs);
    }

    async function askOnce(): Promise<void> {
      try {
        const headers = etag === "" ? {} : { "if-none-match": etag };
        const response = await fetch(url, { signal: abort.signal, headers });
        if (response.status === 304) return setPolled((last) => (last.error === "" ? last : { ...last, error: "" }));
        const answer: unknown = await response.json();
        if (!response.ok) {
          etag = "";
          return setPolled({ answer: undefined, error: (answer as ErrorAnswer).error });
        }
        etag = response.headers.get("etag") ?? "";
        setPolled({ answer: answer as Answer, error: "" });
      } catch {
        if (abort.signal.aborted) return;
        setPolled((last) => ({ ...last, error: AWAY }));
      }
    }

    void ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [url, intervalMs]);

  return polled;
}
