import type { ResourceView } from "../../store/api-types.js";
import type { MapItem, MapStation } from "../model/build-map.js";
import { formatDuration } from "../model/format.js";
import { laneColour } from "./lane-colour.js";

interface PathMapProps {
  readonly stations: readonly MapStation[];
  readonly resources: readonly ResourceView[];
  onShow(spanId: string): void;
}

/** Where the packet went: namespaces as boxes, in them the interfaces and what was changed, in order. */
export function PathMap({ stations, resources, onShow }: PathMapProps) {
  return (
    <ol class="map" aria-label="Path of the packet">
      {stations.map((station, index) => {
        const resource = resources[station.resource];
        const label = resource?.label ?? "";
        return (
          <li key={index} class="station-step">
            {index > 0 && <span class="map-arrow" aria-hidden="true" />}
            <section class="station" style={{ "--lane": laneColour(label) }} aria-label={`namespace ${label}`}>
              <h3 title={resource?.detail}>{label}</h3>
              <ol class="stops">
                {station.items.map((item, at) => (
                  <li key={at}>
                    <Stop item={item} onShow={onShow} />
                  </li>
                ))}
              </ol>
            </section>
          </li>
        );
      })}
    </ol>
  );
}

function Stop({ item, onShow }: { readonly item: MapItem; onShow(spanId: string): void }) {
  return (
    <button
      type="button"
      class={`stop stop-${item.kind} ${item.kind === "drop" && item.isFault ? "is-fault" : ""}`}
      onClick={() => onShow(item.spanId)}
    >
      <StopText item={item} />
    </button>
  );
}

function StopText({ item }: { readonly item: MapItem }) {
  switch (item.kind) {
    case "process":
      return (
        <>
          <small>process</small> {item.name}
        </>
      );
    case "interface":
      return <code>{item.name}</code>;
    case "change":
      return (
        <>
          <small>{CHANGE_NAMES[item.change.field] ?? item.change.field}</small>{" "}
          <span class="was">{item.change.before}</span> → <span>{item.change.after}</span>
        </>
      );
    case "wait":
      return (
        <>
          <small>waits {formatDuration(item.durationNs)} in</small> {item.name}
        </>
      );
    case "drop":
      return (
        <>
          <span aria-hidden="true">✕ </span>
          <b>{item.reason || "dropped"}</b> <code>{item.function}</code>
        </>
      );
    case "end":
      return <>{END_TEXTS[item.end] ?? item.end}</>;
  }
}

const CHANGE_NAMES: Readonly<Record<string, string>> = {
  source: "source NAT",
  destination: "destination NAT",
  ttl: "TTL",
};

const END_TEXTS: Readonly<Record<string, string>> = {
  delivered: "✓ delivered",
  transmitted: "→ transmitted",
  consumed: "● consumed",
  merged: "⊕ merged",
  expired: "? last seen here",
  unknown: "? last seen here",
};
