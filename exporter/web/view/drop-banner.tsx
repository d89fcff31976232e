import type { DropView, JourneySummary } from "../../store/api-types.js";
import { Advice } from "./advice.js";

interface DropBannerProps {
  readonly journey: JourneySummary;
  readonly drop: DropView;
  /** The status of the hop that dropped. */
  readonly message: string;
  onShow(): void;
}

/** Where, why, and what to do: the answer to the question that brings people here. */
export function DropBanner({ journey, drop, message, onShow }: DropBannerProps) {
  const meaning = message.includes(": ") ? message.slice(message.indexOf(": ") + 2) : "";
  return (
    <section class={journey.failed ? "banner is-fault" : "banner"} aria-label="Why it was dropped">
      <p class="banner-head">
        <b class="reason">
          <span aria-hidden="true">✕ </span>
          {drop.reason}
        </b>
        <span>
          {journey.failed ? "dropped in " : "given up, by design, in "}
          <button type="button" class="link" onClick={onShow} title="Show this hop (d)">
            <code>{drop.location || drop.function}</code>
          </button>{" "}
          · {drop.namespace}
          {drop.interface && ` · ${drop.interface}`}
        </span>
      </p>
      {meaning && <p class="meaning">{meaning}</p>}
      {drop.advice && drop.advice !== message && (
        <p class="advice">
          <b>What to do: </b>
          <Advice text={drop.advice} />
        </p>
      )}
    </section>
  );
}
