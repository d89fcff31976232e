import type { Hop } from "../decode/frame.js";
import type { ProbeRole } from "./queues.js";
import { queues } from "./queues.js";

/** A packet was put into a queue by one hop and taken out by another. */
export interface Wait {
  readonly queueName: string;
  readonly startOffsetNs: number;
  /** The putting function's return was not observed: it waited at most so long. */
  readonly isInferred: boolean;
}

interface Put {
  readonly hop: Hop;
  /** The hop that enclosed the putting one, by its return; undefined: none, or unknown. */
  readonly enclosing: Hop | undefined;
}

/** On one CPU, a packet that is handed on sooner than this was handed on, not queued, when returns are not observed. */
const SHORTEST_QUEUEING_NS = 50_000;

/** Follows one journey through the queues. */
export class WaitTracker {
  private readonly pending: (Put | undefined)[] = [];

  /** Notes that the hop puts the packet into a queue. */
  put(role: ProbeRole, hop: Hop, enclosing: Hop | undefined): void {
    if (role.putsInto >= 0) this.pending[role.putsInto] = { hop, enclosing };
  }

  /** The wait that ends with the hop's entry, if one does. */
  take(role: ProbeRole, hop: Hop): Wait | undefined {
    for (const index of role.takesFrom) {
      const put = this.pending[index];
      const queue = queues[index];
      if (!put || !queue) continue;
      if (!queue.isHandover && !hasParted(put, hop)) continue;
      this.pending[index] = undefined;
      const isInferred = !put.hop.returned;
      const hasLeft = put.hop.returned && put.hop.leaveOffsetNs <= hop.enterOffsetNs;
      return {
        queueName: queue.name,
        startOffsetNs: hasLeft ? put.hop.leaveOffsetNs : put.hop.enterOffsetNs,
        isInferred,
      };
    }
    return undefined;
  }
}

function hasParted(put: Put, hop: Hop): boolean {
  if (put.hop.cpu !== hop.cpu) return true;
  if (!put.hop.returned) return hop.enterOffsetNs - put.hop.enterOffsetNs > SHORTEST_QUEUEING_NS;
  if (put.hop.leaveOffsetNs > hop.enterOffsetNs) return false;
  return put.enclosing === undefined || put.enclosing.leaveOffsetNs < hop.enterOffsetNs;
}
