/** Sign, so that colour is never the only difference. */
const SIGNS: Readonly<Record<string, string>> = {
  delivered: "✓",
  transmitted: "→",
  dropped: "✕",
  merged: "⊕",
  consumed: "●",
  expired: "?",
  unknown: "?",
};

const MEANINGS: Readonly<Record<string, string>> = {
  delivered: "reached a socket",
  transmitted: "left by a device",
  dropped: "was dropped",
  merged: "became part of another packet",
  consumed: "was used up by the kernel itself",
  expired: "was not seen to end",
  application: "an application's own trace",
};

export function EndBadge({ end, isFault }: { readonly end: string; readonly isFault: boolean }) {
  const tone = isFault ? "fault" : end === "dropped" ? "quiet" : end;
  return (
    <span class={`end end-${tone}`} title={MEANINGS[end] ?? end}>
      <span class="end-sign" aria-hidden="true">
        {isFault && end !== "dropped" ? "!" : (SIGNS[end] ?? "◆")}
      </span>
      {end}
    </span>
  );
}
