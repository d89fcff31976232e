import type { Config } from "./options.js";

export const profileNames = ["everything", "sampled", "drops-and-slow"] as const;
export type ProfileName = (typeof profileNames)[number];

/** What a profile stands for: options that a flag, a variable or the configuration file overrides. docs/volume.md has the costs. */
export const profiles: Readonly<Record<ProfileName, Partial<Config>>> = {
  everything: {
    sampleOneIn: 1,
    detail: "functions",
    maxJourneysPerSecond: 0,
    maxSpansPerSecond: 0,
    maxBytesPerSecond: 0,
  },
  sampled: { sampleOneIn: 100 },
  "drops-and-slow": { minDurationNs: 10_000_000, areDropsKept: true },
};
