const QUIET_MS = 30_000;
const MAX_KINDS = 64;

/**
 * The same problem again and again, perhaps with other numbers, is told once in 30 s, with how often it came in between.
 */
export function limitProblems(
  tell: (text: string) => void,
  now = performance.now.bind(performance),
): (text: string) => void {
  const kinds = new Map<string, { toldMs: number; suppressed: number }>();
  return (text) => {
    const kind = text.replaceAll(/\d+/g, "#");
    const known = kinds.get(kind);
    if (known && now() - known.toldMs < QUIET_MS) {
      known.suppressed++;
      return;
    }
    tell(known && known.suppressed > 0 ? `${text} (${known.suppressed} times more since it was last told)` : text);
    if (kinds.size >= MAX_KINDS) kinds.clear();
    kinds.set(kind, { toldMs: now(), suppressed: 0 });
  };
}
