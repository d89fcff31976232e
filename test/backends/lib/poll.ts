import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MS = 250;
/** Far more than anything takes: it only bounds a test that fails. */
const TIMEOUT_MS = 180_000;

/** Looks until there is something. Throws when there is not in three minutes. */
export async function poll<Found>(
  what: string,
  look: () => Promise<Found | undefined>,
  timeoutMs = TIMEOUT_MS,
): Promise<Found> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadlineMs) throw new Error(`not seen within ${timeoutMs / 1_000} s: ${what}`);
    await sleep(EVERY_MS);
  }
}
