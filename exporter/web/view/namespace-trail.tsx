import { laneColour } from "./lane-colour.js";

/** Namespaces in the order in which they were crossed. */
export function NamespaceTrail({ namespaces }: { readonly namespaces: readonly string[] }) {
  return (
    <span class="trail">
      {namespaces.map((name, index) => (
        <span key={name} class="trail-item">
          {index > 0 && (
            <span class="trail-arrow" aria-hidden="true">
              ›
            </span>
          )}
          <span class="dot" style={{ background: laneColour(name) }} aria-hidden="true" />
          {name}
        </span>
      ))}
    </span>
  );
}
