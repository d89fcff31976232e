import { wire, wireBackend, wireJourneyEnd, wireReturnKind } from "../../exporter/wire/layout.js";
import { buildRecording, type RecordingBuilder, type Unit } from "../lib/build-recording.js";

/*
 * What the page is tested with: journeys of the kinds that the demo makes, with times as a kernel has them, as a
 * stream of the tracer. Everything after the tracer is the real program.
 */

const NODE = 4026531840;
const CLIENT = 4026532201;
const SERVER = 4026532302;
const START_NS = 7_000_000_000_000n;
const REALTIME_NS = 1_795_000_000_000_000_000n;
const READ = wire.contextNetwork | wire.contextTransport | wire.contextLinkHeader;
const MOVED = wire.changedNetns | wire.changedInterface;
const NETFILTER_DROP = 8;
const NO_SOCKET = 3;
const OLD_DATA = 15;

const FUNCTIONS = [
  "tcp_sendmsg_locked",
  "__tcp_transmit_skb",
  "__ip_queue_xmit",
  "ip_output",
  "__dev_queue_xmit",
  "veth_xmit",
  "enqueue_to_backlog",
  "__netif_receive_skb",
  "ip_rcv",
  "nf_hook_slow",
  "nf_nat_ipv4_pre_routing",
  "ip_forward",
  "ip_local_deliver",
  "tcp_v4_rcv",
  "tcp_rcv_established",
  "tcp_queue_rcv",
  "tcp_eat_recv_skb",
  "nft_do_chain",
  "udp_sendmsg",
  "__udp4_lib_rcv",
  "icmp_send",
  "br_handle_frame",
] as const;
type FunctionName = (typeof FUNCTIONS)[number];

const INTEGER_FUNCTIONS = { returnKind: wireReturnKind.integer };
const symbolStart = (name: FunctionName): bigint => 0xffff_ffff_8100_0000n + BigInt(FUNCTIONS.indexOf(name)) * 0x1000n;

interface PageRecordingOptions {
  /** Of each kind; see KINDS. */
  readonly rounds: number;
}

/** Journeys of every kind, so many rounds of them. */
export function buildPageRecording({ rounds }: PageRecordingOptions): Uint8Array {
  const recording = startRecording();
  for (let round = 0; round < rounds; round++) {
    KINDS.forEach((write, kind) => {
      const number = round * KINDS.length + kind;
      write(recording, {
        number,
        startNs: START_NS + BigInt(number) * 7_300_000n,
        speed: 1 + ((round * 37) % 11) / 10,
      });
    });
  }
  return recording.end().bytes();
}

/** One journey of so many hops: 250 levels deep in all, no more than 10 at a time. */
export function buildLongRecording(hops: number): Uint8Array {
  const recording = startRecording();
  const units: Unit[] = [context(START_NS, "ip_rcv", { netnsInode: NODE, interfaceName: "eth0" })];
  for (let hop = 0; hop < hops; hop++) {
    const depth = hop % 10;
    const group = BigInt(hop - depth) * 1_000n;
    const enter = START_NS + group + BigInt(depth) * 300n;
    const name = FUNCTIONS[hop % FUNCTIONS.length] ?? "ip_rcv";
    units.push({
      hop: { probe: FUNCTIONS.indexOf(name), enter, leave: START_NS + group + 9_000n - BigInt(depth) * 300n },
    });
  }
  const endMonotonicNs = START_NS + BigInt(hops) * 1_000n;
  recording.journey(
    { skb: 0xffff_8880_0000_0100n, startMonotonicNs: START_NS, endMonotonicNs, end: wireJourneyEnd.delivered },
    units,
  );
  return recording.end().bytes();
}

function startRecording(): RecordingBuilder {
  const recording = buildRecording()
    .hello({
      startMonotonicNs: START_NS,
      startRealtimeNs: REALTIME_NS,
      nodeNetnsInode: NODE,
      backend: wireBackend.kprobeSession,
      cpuCount: 2,
      kernelRelease: "6.12.0",
      hostName: "worker-1",
      hostId: "0123456789abcdef0123456789abcdef",
    })
    .namespace(NODE, "", wire.namespaceNode)
    .namespace(CLIENT, "client")
    .namespace(SERVER, "server")
    .dropReason(NO_SOCKET, "SKB_DROP_REASON_NO_SOCKET")
    .dropReason(NETFILTER_DROP, "SKB_DROP_REASON_NETFILTER_DROP")
    .dropReason(OLD_DATA, "SKB_DROP_REASON_TCP_OLD_DATA");
  FUNCTIONS.forEach((name, index) => {
    recording.probe(index, name, name.startsWith("nf") ? { returnKind: wireReturnKind.verdict } : INTEGER_FUNCTIONS);
    recording.symbol(symbolStart(name) + 0xd3n, symbolStart(name), name);
  });
  return recording;
}

interface Moment {
  readonly number: number;
  readonly startNs: bigint;
  /** Times are multiplied by it. */
  readonly speed: number;
}

type Kind = (recording: RecordingBuilder, moment: Moment) => void;

function context(observedMonotonicNs: bigint, at: FunctionName, fields: object): Unit {
  return {
    context: {
      observedMonotonicNs,
      atProbe: FUNCTIONS.indexOf(at),
      flags: READ,
      ethertype: 0x0800,
      ipVersion: 4,
      transport: 6,
      ttl: 64,
      length: 512,
      networkBytes: 512,
      source: [10, 9, 1, 2],
      destination: [10, 96, 0, 1],
      sourcePort: 40_000,
      destinationPort: 80,
      tcpFlags: 0x18,
      interfaceIndex: 2,
      ...fields,
    },
  };
}

/** Writes the units of one journey; offsets are nanoseconds from its start. */
function units({ startNs, speed }: Moment): {
  at(offsetNs: number): bigint;
  hop(name: FunctionName, enter: number, leave: number, returnValue?: number): Unit;
} {
  const at = (offsetNs: number): bigint => startNs + BigInt(Math.round(offsetNs * speed));
  return {
    at,
    hop: (name, enter, leave, returnValue = 0) => ({
      hop: { probe: FUNCTIONS.indexOf(name), enter: at(enter), leave: at(leave), returnValue },
    }),
  };
}

const packet = (number: number) => ({
  sourcePort: 40_000 + number,
  tcpSequence: 1_000 + number * 512,
  ipId: number & 0xffff,
});
const toNode = { netnsInode: NODE, interfaceIndex: 7, interfaceName: "veth-client", changed: MOVED };
const translated = { destination: [10, 9, 2, 2], destinationPort: 8080 };

/** A request from the client through the node, which translates its destination, to the server, whose process reads it late. */
const delivered: Kind = (recording, moment) => {
  const { at, hop } = units(moment);
  const id = packet(moment.number);
  const process = { flags: wire.journeyInProcess, processId: 4242, threadId: 4242, processName: "curl" };
  const times = { startMonotonicNs: at(0), endMonotonicNs: at(620_000) };
  recording.journey({ skb: 0xffff_8880_0400_0000n, end: wireJourneyEnd.delivered, ...times, ...process }, [
    hop("tcp_sendmsg_locked", 0, 61_000),
    hop("__tcp_transmit_skb", 1_200, 60_000),
    hop("__ip_queue_xmit", 1_900, 59_400),
    context(at(1_900), "__ip_queue_xmit", { ...id, netnsInode: CLIENT, interfaceName: "eth0" }),
    hop("ip_output", 2_800, 58_800),
    hop("__dev_queue_xmit", 4_100, 58_000),
    hop("veth_xmit", 5_000, 8_200),
    hop("enqueue_to_backlog", 6_100, 7_400),
    context(at(9_500), "__netif_receive_skb", { ...id, ...toNode }),
    hop("__netif_receive_skb", 9_500, 57_200),
    hop("ip_rcv", 10_400, 56_800),
    hop("nf_hook_slow", 11_000, 17_300, 1),
    hop("nf_nat_ipv4_pre_routing", 11_600, 16_800, 1),
    context(at(18_000), "ip_forward", {
      ...id,
      ...translated,
      netnsInode: NODE,
      interfaceIndex: 7,
      interfaceName: "veth-client",
      changed: wire.changedDestination,
    }),
    hop("ip_forward", 18_000, 56_000),
    hop("nf_hook_slow", 19_300, 24_100, 1),
    hop("ip_output", 25_000, 55_500),
    context(at(26_300), "__dev_queue_xmit", {
      ...id,
      ...translated,
      ttl: 63,
      netnsInode: NODE,
      interfaceIndex: 9,
      interfaceName: "veth-server",
      changed: wire.changedInterface | wire.changedTtl,
    }),
    hop("__dev_queue_xmit", 26_300, 55_000),
    hop("veth_xmit", 27_900, 31_000),
    hop("enqueue_to_backlog", 29_000, 30_500),
    context(at(64_000), "__netif_receive_skb", {
      ...id,
      ...translated,
      ttl: 63,
      netnsInode: SERVER,
      interfaceName: "eth0",
      changed: MOVED,
    }),
    hop("__netif_receive_skb", 64_000, 91_000),
    hop("ip_rcv", 65_000, 90_300),
    hop("ip_local_deliver", 66_800, 89_900),
    hop("tcp_v4_rcv", 69_000, 89_000),
    hop("tcp_rcv_established", 72_000, 86_000),
    hop("tcp_queue_rcv", 75_000, 79_000),
    hop("tcp_eat_recv_skb", 612_000, 620_000),
  ]);
};

/** A request for a port that a rule on the node refuses. */
const filtered: Kind = (recording, moment) => {
  const { at, hop } = units(moment);
  const id = {
    ...packet(moment.number),
    destination: [10, 9, 2, 2],
    destinationPort: 8081,
    tcpFlags: 0x02,
    length: 60,
    networkBytes: 60,
  };
  const drop = { dropReason: NETFILTER_DROP, dropLocation: symbolStart("nf_hook_slow") + 0xd3n };
  const process = { flags: wire.journeyInProcess, processId: 4243, threadId: 4243, processName: "curl" };
  const times = { startMonotonicNs: at(0), endMonotonicNs: at(31_000) };
  recording.journey({ skb: 0xffff_8880_0400_0100n, end: wireJourneyEnd.dropped, ...drop, ...times, ...process }, [
    hop("__tcp_transmit_skb", 0, 42_000),
    hop("__ip_queue_xmit", 700, 41_000),
    context(at(700), "__ip_queue_xmit", { ...id, netnsInode: CLIENT, interfaceName: "eth0" }),
    hop("__dev_queue_xmit", 2_900, 40_500),
    hop("veth_xmit", 3_800, 6_900),
    context(at(9_000), "__netif_receive_skb", { ...id, ...toNode }),
    hop("__netif_receive_skb", 9_000, 39_500),
    hop("ip_rcv", 10_000, 39_000),
    hop("ip_forward", 14_000, 37_500),
    hop("nf_hook_slow", 17_000, 34_000, -1),
    hop("nft_do_chain", 18_500, 29_000, 0),
  ]);
};

/** A datagram for a port without a socket. */
const noSocket: Kind = (recording, moment) => {
  const { at, hop } = units(moment);
  const id = {
    ...packet(moment.number),
    transport: 17,
    tcpFlags: 0,
    destination: [10, 9, 2, 2],
    destinationPort: 5353,
    length: 120,
    networkBytes: 120,
  };
  const drop = { dropReason: NO_SOCKET, dropLocation: symbolStart("__udp4_lib_rcv") + 0xd3n };
  const times = { startMonotonicNs: at(0), endMonotonicNs: at(40_000) };
  recording.journey({ skb: 0xffff_8880_0400_0200n, end: wireJourneyEnd.dropped, ...drop, ...times }, [
    hop("udp_sendmsg", 0, 20_000),
    hop("__dev_queue_xmit", 2_900, 19_000),
    context(at(2_900), "__dev_queue_xmit", { ...id, netnsInode: CLIENT, interfaceName: "eth0" }),
    context(at(24_000), "__netif_receive_skb", {
      ...id,
      netnsInode: SERVER,
      interfaceName: "eth0",
      changed: wire.changedNetns,
    }),
    hop("__netif_receive_skb", 24_000, 42_000),
    hop("ip_rcv", 25_000, 41_500),
    hop("__udp4_lib_rcv", 28_000, 41_000),
  ]);
};

/** A segment that came twice: dropped by design, no fault. */
const duplicate: Kind = (recording, moment) => {
  const { at, hop } = units(moment);
  const drop = { dropReason: OLD_DATA, dropLocation: symbolStart("tcp_rcv_established") + 0xd3n };
  const times = { startMonotonicNs: at(0), endMonotonicNs: at(9_000) };
  recording.journey({ skb: 0xffff_8880_0400_0300n, end: wireJourneyEnd.dropped, ...drop, ...times }, [
    context(at(0), "ip_rcv", { ...packet(moment.number), netnsInode: SERVER, interfaceName: "eth0" }),
    hop("ip_rcv", 0, 9_000),
    hop("tcp_v4_rcv", 2_000, 8_500),
    hop("tcp_rcv_established", 4_000, 8_000),
  ]);
};

/** A packet of IPv6 that leaves the node by its device. */
const transmitted: Kind = (recording, moment) => {
  const { at, hop } = units(moment);
  const address = (last: number) => [0x20, 1, 0x0d, 0xb8, ...Array.from({ length: 11 }, () => 0), last];
  const ip = {
    ethertype: 0x86dd,
    ipVersion: 6,
    transport: 58,
    source: address(1),
    destination: address(2),
    icmpType: 128,
    sourcePort: 0,
    destinationPort: 0,
    tcpFlags: 0,
  };
  const times = { startMonotonicNs: at(0), endMonotonicNs: at(12_000) };
  recording.journey({ skb: 0xffff_8880_0400_0400n, end: wireJourneyEnd.transmitted, ...times }, [
    context(at(0), "__dev_queue_xmit", { ...ip, ipId: moment.number, netnsInode: NODE, interfaceName: "eth0" }),
    hop("__dev_queue_xmit", 0, 12_000),
  ]);
};

const KINDS: readonly Kind[] = [delivered, filtered, delivered, transmitted, delivered, noSocket, duplicate, delivered];

/** How many of each round end how; for what tests expect. */
export const PER_ROUND = { journeys: KINDS.length, delivered: 4, faults: 2, dropped: 3, transmitted: 1 };
