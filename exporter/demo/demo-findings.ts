import { ATTR_SERVER_PORT } from "@opentelemetry/semantic-conventions";
import { SPAN_KIND_CLIENT } from "../store/span-record.js";
import type { JourneyRecord } from "../store/summarise-trace.js";
import { demoNetwork } from "./build-demo-network.js";

/** What the store holds of the demo, for `--check` and for the terminal. */
export interface DemoFindings {
  readonly journeys: number;
  /** Journeys by end. */
  readonly ends: Readonly<Record<string, number>>;
  /** Dropped journeys by reason, faults only. */
  readonly dropReasons: Readonly<Record<string, number>>;
  /** All namespaces that journeys crossed. */
  readonly namespaces: readonly string[];
  /** Different functions among all hops. */
  readonly functions: number;
  /** Journeys that were delivered in one pod after they had left the other through the node. */
  readonly deliveredAcross: number;
  /** Journeys that the node's firewall dropped. */
  readonly droppedByFirewall: number;
  /** Journeys that are children of a client's span, in its trace. */
  readonly underClientSpan: number;
  /** Of these, dropped ones under the request to the blocked port: SYNs of a connection that never opened. */
  readonly underBlockedRequest: number;
  readonly lostHops: number;
}

export function readFindings(records: Iterable<JourneyRecord>): DemoFindings {
  const ends = new Map<string, number>();
  const dropReasons = new Map<string, number>();
  const namespaces = new Set<string>();
  const functions = new Set<string>();
  const counts = {
    journeys: 0,
    deliveredAcross: 0,
    droppedByFirewall: 0,
    underClientSpan: 0,
    underBlockedRequest: 0,
    lostHops: 0,
  };
  for (const { summary, functions: names, request } of records) {
    if (summary.kind !== "journey") continue;
    counts.journeys++;
    counts.lostHops += summary.lostHops;
    increment(ends, summary.end);
    for (const namespace of summary.namespaces) namespaces.add(namespace);
    for (const name of names) functions.add(name);
    if (summary.drop !== undefined && summary.failed) increment(dropReasons, summary.drop.reason);
    if (summary.drop?.reason === "NETFILTER_DROP" && summary.drop.namespace === demoNetwork.node)
      counts.droppedByFirewall++;
    if (request?.kind === SPAN_KIND_CLIENT) {
      counts.underClientSpan++;
      if (summary.drop && request.attributes[ATTR_SERVER_PORT] === demoNetwork.blockedPort)
        counts.underBlockedRequest++;
    }
    if (summary.end === "delivered" && crossesNode(summary.namespaces)) counts.deliveredAcross++;
  }
  return {
    ...counts,
    ends: Object.fromEntries(ends),
    dropReasons: Object.fromEntries(dropReasons),
    namespaces: [...namespaces].sort(),
    functions: functions.size,
  };
}

function crossesNode(namespaces: readonly string[]): boolean {
  return [demoNetwork.client, demoNetwork.node, demoNetwork.web].every((name) => namespaces.includes(name));
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
