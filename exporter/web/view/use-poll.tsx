import { useEffect, useRef, useState } from "preact/hooks";
import type { ErrorAnswer } from "../../store/api-types.js";

export interface Polled<Answer> {
  readonly answer: Answer | undefined;
  /** What went wrong last, in words; empty when the last request was answered. */
  readonly error: string;
}

/**
 * Asks again and again, so that the page is live; keeps the last answer when the server is away. An answer that is
 * the same as the one before does not render again.
 * @param intervalMs 0: ask once
 */
export function usePoll<Answer>(url: string, intervalMs: number): Polled<Answer> {
  const [polled, setPolled] = useState<Polled<Answer> & { readonly url: string }>({
    url,
    answer: undefined,
    error: "",
  });
  const lastText = useRef("");

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    lastText.current = "";

    async function ask(): Promise<void> {
      if (!document.hidden || lastText.current === "") await askOnce();
      if (intervalMs > 0 && !abort.signal.aborted) timer = setTimeout(ask, intervalMs);
    }

    async function askOnce(): Promise<void> {
      try {
        const response = await fetch(url, { signal: abort.signal });
        const text = await response.text();
        if (!response.ok) return setPolled({ url, answer: undefined, error: (JSON.parse(text) as ErrorAnswer).error });
        if (text === lastText.current) return setPolled((last) => (last.error === "" ? last : { ...last, error: "" }));
        lastText.current = text;
        setPolled({ url, answer: JSON.parse(text) as Answer, error: "" });
      } catch {
        if (abort.signal.aborted) return;
        setPolled((last) => ({
          ...last,
          error: "skbspan does not answer: is it still running? This page goes on trying.",
        }));
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
