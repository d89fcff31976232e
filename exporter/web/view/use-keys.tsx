import { useLayoutEffect, useRef } from "preact/hooks";

/** By KeyboardEvent.key. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Keys for the whole page, except while a person types into a field or when a modifier makes it the browser's. */
export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  // Before the browser paints: what a person sees answers to keys.
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]") !== null) return;
      const act = current.current[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act(event);
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
  );
}

/** Moves the focus among the elements that a selector finds; from nowhere to the first. */
export function moveFocus(selector: string, step: number | "first" | "last"): void {
  const items = [...document.querySelectorAll<HTMLElement>(selector)];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = step === "first" ? 0 : step === "last" ? items.length - 1 : at === -1 ? 0 : at + step;
  const item = items[Math.max(0, Math.min(items.length - 1, next))];
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}
