import type { Config } from "../config/options.js";
import type { Journey } from "../decode/frame.js";
import type { NodeState } from "../enrich/create-node-state.js";
import { weighJourney } from "../export/weigh-journey.js";
import { readTraceId } from "../map/map-journey.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createVolume, type VolumeStats } from "../volume/create-volume.js";
import type { Limits } from "../volume/limits.js";
import type { CommandContext } from "./command-context.js";
import { describeVolume } from "./describe-volume.js";
import { limitProblems } from "./limit-problems.js";

/** The volume stage of a command, with its clock. */
export interface SessionVolume {
  /** Whether the journey, not mapped yet and no drop, is left out. */
  isShed(journey: Journey, state: NodeState): boolean;
  /** Whether one that belongs to a request, likewise, is left out: then about how many spans it would have had. */
  refuses(journey: Journey, state: NodeState, isLinked: boolean): number | undefined;
  reduce(journeySpans: JourneySpans): JourneySpans | undefined;
  /** To be called every second or so. */
  tick(): void;
  stats(): VolumeStats;
}

/**
 * A recording has its own time: what left of it is what the agent would have sent, whatever the speed at which it is read.
 */
export function createSessionVolume({ config, reporter }: CommandContext, isRecording: boolean): SessionVolume {
  const limits = readLimits(config);
  // Traffic that comes and goes around a limit is no reason to fill a log.
  const warn = limitProblems((text) => reporter.warn(text));
  const say = limitProblems((text) => reporter.say(`skbspan: ${text}`));
  const volume = createVolume({
    limits,
    detail: config.detail,
    weigh: weighJourney,
    onChange: (stats) => (stats.isSaving ? warn : say)(describeVolume(stats, limits)),
  });
  const nowMs = isRecording ? endOf : (): number => performance.now();
  const isShed = (journey: Journey, state: NodeState): boolean =>
    volume.sheds(journey.hops.length, () => readTraceId(journey, state), nowMs(journey));
  return {
    isShed,
    refuses: (journey, state, isLinked) => {
      const hops = journey.hops.length;
      const isLeftOut = isLinked ? isShed(journey, state) : volume.refuses(hops, nowMs(journey));
      return isLeftOut ? volume.estimateSpans(hops) : undefined;
    },
    reduce: (journeySpans) => volume.admit(journeySpans, nowMs(journeySpans.journey)),
    tick() {
      if (!isRecording) volume.tick(performance.now());
    },
    stats: () => volume.stats(),
  };
}

function endOf({ startMonotonicNs, durationNs }: Journey): number {
  return Number(startMonotonicNs) / 1e6 + durationNs / 1e6;
}

function readLimits(config: Config): Limits {
  const { maxJourneysPerSecond, maxSpansPerSecond, maxBytesPerSecond } = config;
  const orNone = (value: number): number | undefined => (value === 0 ? undefined : value);
  return {
    journeysPerSecond: orNone(maxJourneysPerSecond),
    spansPerSecond: orNone(maxSpansPerSecond),
    bytesPerSecond: orNone(maxBytesPerSecond),
  };
}
