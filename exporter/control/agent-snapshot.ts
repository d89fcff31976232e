import type { NodeState } from "../enrich/create-node-state.js";
import type { PodResolverStats } from "../enrich/create-pod-resolver.js";
import type { WaitingStats } from "../enrich/create-waiting-room.js";
import type { SinkStats } from "../export/sink.js";
import type { JoinStats } from "../join/create-joiner.js";
import type { AddressBookStats } from "../kubernetes/create-address-book.js";
import type { PodDirectoryStats } from "../kubernetes/create-pod-directory.js";
import type { SessionManager } from "../session/create-session-manager.js";
import type { VolumeStats } from "../volume/create-volume.js";
import type { DropSeries } from "./create-drop-counter.js";

/** What the agent knows of itself at this moment. */
export interface AgentSnapshot {
  readonly version: string;
  readonly state: Pick<NodeState, "hello" | "stats">;
  readonly sinks: readonly { readonly name: string; readonly stats: SinkStats }[];
  /** Dropped journeys by reason, e.g. "NETFILTER_DROP". */
  readonly dropsByReason: ReadonlyMap<string, number>;
  readonly dropSeries: readonly DropSeries[];
  readonly volume: VolumeStats;
  /** Absent when nothing is joined. */
  readonly joining?: JoinStats;
  /** How long exporting has failed now; 0 when it does not. */
  readonly exportFailingMs: number;
  readonly namespaces: PodResolverStats & WaitingStats;
  /** Absent when no pods are asked for. */
  readonly pods?: PodDirectoryStats;
  /** Absent when none are served. */
  readonly sessions?: ReturnType<SessionManager["counts"]>;
  /** By what is watched for names of far ends. */
  readonly farEnds?: ReadonlyMap<string, AddressBookStats>;
}
