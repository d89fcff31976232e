import type { Config } from "../config/options.js";
import { createJoiner, type Joiner } from "../join/create-joiner.js";

/** The joining stage of a command; undefined: nothing is joined. */
export function createSessionJoiner(config: Config): Joiner | undefined {
  if (config.join === "off") return undefined;
  return createJoiner({
    mode: config.join,
    sources: config.joinSources,
    isSampledOnly: config.isSampledOnly,
    waitMs: config.joinWaitMs,
    maxJourneys: config.maxJoinedJourneys,
    maxSpans: config.maxJoinedSpans,
    maxTraceSpans: config.maxJoinedTraceSpans,
    forMs: config.joinForMs,
    maxRequests: config.maxJoinRequests,
    detail: config.detail,
  });
}
