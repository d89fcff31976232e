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
  /** Its place in `queues`. */
  readonly queue: number;
  readonly hop: Hop;
  /** The hop that enclosed the putting one, by its return; undefined: none, or unknown. */
  readonly enclosing: Hop | undefined;
}

/** On one CPU, a packet that is handed on sooner than this was handed on, not queued, when returns are not observed. */
const SHORTEST_QUEUEING_NS = 50_000;

/** Follows one journey through the queues; it is in one at a time. */
export class WaitTracker {
  private pending: Put | undefined;

  /** Notes that the hop puts the packet into a queue. */
  put(role: ProbeRole, hop: Hop, enclosing: Hop | undefined): void {
    if (role.putsInto >= 0) this.pending = { queue: role.putsInto, hop, enclosing };
  }

  /** The wait that ends with the hop's entry, if one does. */
  take(role: ProbeRole, hop: Hop): Wait | undefined {
    const put = this.pending;
    const queue = put && queues[put.queue];
    if (!put || !queue || !role.takesFrom.includes(put.queue)) return undefined;
    this.pending = undefined;
    const isHandover = queue.isHandover || role.alwaysTakesFrom.includes(put.queue);
    if (!isHandover && !hasParted(put, hop)) return undefined;
    const hasLeft = put.hop.returned && put.hop.leaveOffsetNs <= hop.enterOffsetNs;
    return {
      queueName: queue.name,
      startOffsetNs: hasLeft ? put.hop.leaveOffsetNs : put.hop.enterOffsetNs,
      isInferred: !put.hop.returned,
    };
  }
}

function hasParted(put: Put, hop: Hop): boolean {
  if (put.hop.cpu !== hop.cpu) return true;
  if (!put.hop.returned) return hop.enterOffsetNs - put.hop.enterOffsetNs > SHORTEST_QUEUEING_NS;
  if (put.hop.leaveOffsetNs > hop.enterOffsetNs) return false;
  return put.enclosing === undefined || put.enclosing.leaveOffsetNs < hop.enterOffsetNs;
}
