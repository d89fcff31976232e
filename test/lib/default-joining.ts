import { options } from "../../exporter/config/options.js";
import type { JoinerOptions } from "../../exporter/join/create-joiner.js";

/** What the options say by default. */
export const defaultJoining: JoinerOptions = {
  mode: "join",
  sources: options.joinSources.default,
  isSampledOnly: false,
  waitMs: options.joinWaitMs.default,
  maxJourneys: options.maxJoinedJourneys.default,
  maxSpans: options.maxJoinedSpans.default,
  maxTraceSpans: options.maxJoinedTraceSpans.default,
  forMs: options.joinForMs.default,
  maxRequests: options.maxJoinRequests.default,
  detail: options.detail.default,
};
