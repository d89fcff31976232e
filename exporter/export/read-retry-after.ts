/** The delay of HTTP's Retry-After: a number of seconds, or a date. Undefined: there is none that can be read. */
export function readRetryAfterMs(header: string | undefined, nowMs = Date.now()): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const dateMs = text === "" ? Number.NaN : Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
