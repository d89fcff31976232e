import { wire, wireBackend, wireJourneyEnd, wireReturnKind } from "../../exporter/wire/layout.js";
import { buildRecording, type Unit } from "../lib/build-recording.js";

const NODE = 4026531840;
const POD_A = 4026532200;
const POD_B = 4026532300;
const START_NS = 5_000_000_000_000n;

const probes: readonly [name: string, returnKind: number, module?: string][] = [
  ["__tcp_transmit_skb", wireReturnKind.integer],
  ["__ip_queue_xmit", wireReturnKind.integer],
  ["ip_output", wireReturnKind.integer],
  ["__dev_queue_xmit", wireReturnKind.integer],
  ["veth_xmit", wireReturnKind.netdevTx, "veth"],
  ["enqueue_to_backlog", wireReturnKind.integer],
  ["__netif_receive_skb", wireReturnKind.integer],
  ["ip_rcv", wireReturnKind.integer],
  ["nf_hook_slow", wireReturnKind.integer],
  ["ip_forward", wireReturnKind.integer],
  ["tcp_v4_rcv", wireReturnKind.integer],
  ["tcp_data_queue", wireReturnKind.void],
];

/** [probe, entered, left] of a segment from a pod over the node to a pod, in nanoseconds from its start. */
const hops: readonly (readonly [probe: number, enterNs: number, leaveNs: number])[] = [
  [0, 0, 13_500],
  [1, 400, 13_200],
  [2, 800, 12_900],
  [3, 1_200, 12_500],
  [4, 1_600, 4_200],
  [5, 2_100, 2_700],
  [6, 14_000, 31_000],
  [7, 14_500, 30_000],
  [8, 15_000, 16_200],
  [9, 17_000, 29_000],
  [3, 18_000, 28_000],
  [4, 19_000, 27_000],
  [5, 20_000, 20_600],
  [6, 33_000, 50_900],
  [7, 33_500, 50_000],
  [10, 34_000, 49_000],
  [11, 36_000, 47_500],
];

/** The hops, the root, and two waits in backlogs. */
export const SPANS_PER_JOURNEY = hops.length + 3;

/** A recording of so many journeys of different packets: 40 connections, 17 hops and 3 contexts each. */
export function buildBenchRecording(journeys: number): Uint8Array {
  const recording = buildRecording().hello({
    startMonotonicNs: START_NS,
    startRealtimeNs: 1_790_000_000_123_456_789n,
    nodeNetnsInode: NODE,
    backend: wireBackend.kprobeSession,
    cpuCount: 2,
    kernelRelease: "6.12.0-bench",
    hostName: "worker-1",
    hostId: "0123456789abcdef0123456789abcdef",
  });
  recording.namespace(NODE, "", wire.namespaceNode).namespace(POD_A, "pod-a").namespace(POD_B, "pod-b");
  for (const [index, [name, returnKind, module]] of probes.entries())
    recording.probe(index, name, { returnKind, ...(module ? { module } : {}) });
  for (let number = 0; number < journeys; number++) addJourney(recording, number);
  const endNs = START_NS + BigInt(journeys) * 60_000n;
  return recording
    .stats(endNs, [BigInt(journeys), BigInt(journeys)])
    .end()
    .bytes();
}

function addJourney(recording: ReturnType<typeof buildRecording>, number: number): void {
  const startNs = START_NS + BigInt(number) * 60_000n;
  // No two packets take the same time.
  const stretch = (offsetNs: number) => startNs + BigInt(offsetNs + Math.floor((offsetNs * (number % 97)) / 400));
  const units: Unit[] = hops.map(([probe, enterNs, leaveNs]) => ({
    hop: { probe, cpu: number % 2, enter: stretch(enterNs), leave: stretch(leaveNs), returnValue: 0 },
  }));
  units.splice(
    13,
    0,
    contextUnit(number, stretch(33_000), 6, {
      netnsInode: POD_B,
      netnsCookie: 103n,
      interfaceName: "eth0",
      ttl: 63,
      changed: wire.changedNetns | wire.changedInterface | wire.changedTtl,
    }),
  );
  units.splice(
    6,
    0,
    contextUnit(number, stretch(14_000), 6, {
      netnsInode: NODE,
      netnsCookie: 1n,
      interfaceName: "veth-a",
      changed: wire.changedNetns | wire.changedInterface,
    }),
  );
  units.splice(
    2,
    0,
    contextUnit(number, stretch(420), 1, { netnsInode: POD_A, netnsCookie: 102n, interfaceName: "eth0" }),
  );
  recording.journey(
    {
      skb: 0xffff_8880_0400_0000n + BigInt(number % 512) * 256n,
      startMonotonicNs: startNs,
      endMonotonicNs: stretch(51_000),
      end: wireJourneyEnd.delivered,
      flags: wire.journeyInProcess,
      processId: 1000 + (number % 40),
      threadId: 1000 + (number % 40),
      processName: "curl",
    },
    units,
  );
}

function contextUnit(number: number, observedMonotonicNs: bigint, atProbe: number, fields: object): Unit {
  return {
    context: {
      observedMonotonicNs,
      atProbe,
      cpu: number % 2,
      flags: wire.contextNetwork | wire.contextTransport | wire.contextLinkHeader,
      ethertype: 0x0800,
      ipVersion: 4,
      transport: 6,
      ttl: 64,
      ipId: number & 0xffff,
      length: 60 + (number % 1400),
      networkBytes: 60 + (number % 1400),
      source: [10, 9, 1, 2],
      destination: [10, 9, 2, 2 + (number % 4)],
      sourcePort: 40_000 + (number % 40),
      destinationPort: 8080,
      tcpSequence: (number * 2_654_435_761) >>> 0,
      tcpAcknowledgement: 77,
      tcpFlags: 0x18,
      tcpWindow: 502,
      transportHeaderBytes: 32,
      sourceMac: [2, 0, 0, 0, 0, 1],
      destinationMac: [2, 0, 0, 0, 0, 2],
      interfaceIndex: 2,
      ...fields,
    },
  };
}
