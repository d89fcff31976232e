import type { ApiItem } from "../kubernetes/watch-objects.js";

export const PACKET_TRACES_PATH = "/apis/skbspan.dev/v1alpha1/packettraces";
export const PACKET_TRACE_KIND = { apiVersion: "skbspan.dev/v1alpha1", kind: "PacketTrace" } as const;

export type NodePhase = "Running" | "Ended" | "Failed";

/** What one agent says of a session, in the list `status.nodes`, where its name is its own. */
export interface NodeStatus {
  readonly name: string;
  readonly phase: NodePhase;
  readonly reason?: string;
  readonly agent?: string;
  readonly pods?: number;
  readonly seen?: number;
  readonly kept?: number;
  readonly lost?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
}

/** A PacketTrace as far as agents look at it. `spec` is as it came. */
export interface PacketTrace {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly createdMs: number;
  readonly isBeingDeleted: boolean;
  readonly spec: unknown;
  readonly phase: string | undefined;
  readonly nodes: readonly NodeStatus[];
}

export function readPacketTrace({ object }: ApiItem): PacketTrace | undefined {
  const { metadata, spec, status } = object as typeof object & {
    readonly metadata?: { readonly creationTimestamp?: string };
    readonly spec?: unknown;
    readonly status?: { readonly phase?: string; readonly nodes?: readonly NodeStatus[] };
  };
  if (!metadata?.uid || !metadata.name || !metadata.namespace) return undefined;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    createdMs: Date.parse(metadata.creationTimestamp ?? ""),
    isBeingDeleted: metadata.deletionTimestamp !== undefined,
    spec,
    phase: status?.phase,
    nodes: status?.nodes ?? [],
  };
}

export function idOf({ namespace, name }: Pick<PacketTrace, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

export interface Summary {
  readonly phase: NodePhase;
  readonly reason: string;
}

/** What all agents' entries amount to. Undefined: there are none. */
export function summariseNodes(nodes: readonly NodeStatus[]): Summary | undefined {
  const inPhase = (phase: NodePhase) => nodes.filter((node) => node.phase === phase);
  const [running, ended, failed] = [inPhase("Running"), inPhase("Ended"), inPhase("Failed")];
  if (nodes.length === 0) return undefined;
  const phase = running.length > 0 ? "Running" : ended.length > 0 ? "Ended" : "Failed";
  const reasons = new Set((running.length > 0 ? failed : [...failed, ...ended]).map(({ reason }) => reason ?? ""));
  return { phase, reason: [...reasons].filter(Boolean).join("; ").slice(0, 1_024) };
}

/**
 * Whether this node's agent is the one that writes the summary: the first of those in the list. All would write the same, but not
 * all at once.
 */
export function isSummariser(nodes: readonly NodeStatus[], node: string): boolean {
  return nodes.map(({ name }) => name).sort()[0] === node;
}
