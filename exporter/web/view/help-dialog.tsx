import { useEffect, useRef } from "preact/hooks";

const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ["↑ ↓ or k j", "move in a list or a waterfall"],
  ["Enter", "open a journey; show a span's attributes"],
  ["← →", "in a waterfall: close or open what is nested"],
  ["Escape", "close, go back"],
  ["/", "search"],
  ["d", "go to the drop"],
  ["w", "waits: short or to scale"],
  ["1 2", "journeys, paths"],
  ["p", "stop or go on updating"],
  ["t", "colours: auto, light, dark"],
  ["?", "this help"],
];

export function HelpDialog({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">How to read a journey</h2>
      <p>
        A <b>journey</b> is one packet's way through the kernel of this machine. Each bar of the waterfall is a{" "}
        <b>hop</b>: a kernel function that had the packet. What a function called is nested under it. A hatched bar is a{" "}
        <b>wait</b> in a queue. Colours are <b>network namespaces</b>: a packet that goes from one pod to another
        changes its colour on the way.
      </p>
      <p>
        A journey in red was <b>dropped</b>: the map shows where, the line above it why, and what can be done. Drops
        that protocols make by design are not red. Durations with <b>~</b> were not measured but concluded.
      </p>
      <h3>Keys</h3>
      <dl class="keys">
        {KEYS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
