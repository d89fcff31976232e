import { wire, wireBackend, wireJourneyEnd, wireProbeKind, wireReturnKind } from "../../exporter/wire/layout.js";
import { buildRecording, type RecordingBuilder, type Unit } from "./build-recording.js";

/** Written by hand, for unit tests of the stages after the tracer: times and order as a kernel would have them. */

const NODE = 4026531840;
const POD_A = 4026532200;
const POD_B = 4026532300;
export const exampleStartNs = 5_000_000_000_000n;
const realtimeNs = 1_790_000_000_123_456_789n;
const at = (offsetNs: number): bigint => exampleStartNs + BigInt(offsetNs);

const readBits = wire.contextNetwork | wire.contextTransport | wire.contextLinkHeader;

function tcpContext(offsetNs: number, atProbe: number, fields: object): Unit {
  return {
    context: {
      observedMonotonicNs: at(offsetNs),
      atProbe,
      flags: readBits,
      ethertype: 0x0800,
      ipVersion: 4,
      transport: 6,
      ttl: 64,
      ipId: 4711,
      length: 60,
      networkBytes: 60,
      source: [10, 9, 1, 2],
      destination: [10, 96, 0, 1],
      sourcePort: 40000,
      destinationPort: 80,
      tcpSequence: 0xdead_beef,
      tcpFlags: 0x02,
      tcpWindow: 64240,
      sourceMac: [2, 0, 0, 0, 0, 1],
      destinationMac: [2, 0, 0, 0, 0, 2],
      netnsInode: POD_A,
      netnsCookie: 101n,
      interfaceIndex: 2,
      interfaceName: "eth0",
      ...fields,
    },
  };
}

function start(backend: number): RecordingBuilder {
  return buildRecording()
    .hello({
      startMonotonicNs: exampleStartNs,
      startRealtimeNs: realtimeNs,
      nodeNetnsInode: NODE,
      backend,
      cpuCount: 2,
      kernelRelease: "6.12.0-example",
      hostName: "worker-1",
      hostId: "0123456789abcdef0123456789abcdef",
    })
    .namespace(NODE, "", wire.namespaceNode)
    .namespace(POD_A, "pod-a")
    .namespace(POD_B, "pod-b")
    .dropReason(2, "SKB_DROP_REASON_NOT_SPECIFIED")
    .dropReason(8, "SKB_DROP_REASON_NETFILTER_DROP")
    .dropReason(15, "SKB_DROP_REASON_TCP_OLD_DATA");
}

/** A SYN from pod-a through the node, which translates its destination, to pod-b: entry and return of every hop. */
export function tcpAcrossNode(): Uint8Array {
  const hop = (probe: number, enter: number, leave: number, returnValue = 0, cpu = 0): Unit => {
    return { hop: { probe, cpu, enter: at(enter), leave: at(leave), returnValue } };
  };
  const node = { netnsInode: NODE, netnsCookie: 1n, interfaceIndex: 7, interfaceName: "veth-a" };
  const translated = { destination: [10, 9, 2, 2], destinationPort: 8080 };
  const podB = { ...translated, netnsInode: POD_B, netnsCookie: 102n, ttl: 63, interfaceName: "eth0" };
  return start(wireBackend.kprobeSession)
    .probe(0, "__tcp_transmit_skb", { returnKind: wireReturnKind.integer })
    .probe(1, "__ip_queue_xmit", { returnKind: wireReturnKind.integer })
    .probe(2, "__dev_queue_xmit", { returnKind: wireReturnKind.integer })
    .probe(3, "veth_xmit", { returnKind: wireReturnKind.netdevTx, module: "veth" })
    .probe(4, "enqueue_to_backlog", { returnKind: wireReturnKind.integer })
    .probe(5, "__netif_receive_skb", { returnKind: wireReturnKind.integer })
    .probe(6, "ip_rcv", { returnKind: wireReturnKind.integer })
    .probe(7, "nf_nat_ipv4_pre_routing", { returnKind: wireReturnKind.verdict, module: "nf_nat" })
    .probe(8, "ip_forward", { returnKind: wireReturnKind.integer })
    .probe(9, "tcp_v4_rcv", { returnKind: wireReturnKind.integer })
    .journey(
      {
        skb: 0xffff_8880_04a1_c700n,
        startMonotonicNs: at(0),
        endMonotonicNs: at(51_000),
        end: wireJourneyEnd.delivered,
        flags: wire.journeyInProcess,
        processId: 1234,
        threadId: 1234,
        processName: "curl",
      },
      [
        hop(0, 0, 40_000),
        hop(1, 400, 39_500),
        tcpContext(420, 1, {}),
        hop(2, 1_000, 12_000),
        hop(3, 1_500, 4_000),
        hop(4, 2_000, 2_600),
        tcpContext(14_000, 5, { ...node, changed: wire.changedNetns | wire.changedInterface }),
        hop(5, 14_000, 30_000),
        hop(6, 14_500, 29_000),
        hop(7, 15_000, 16_000, 1),
        tcpContext(17_000, 8, { ...node, ...translated, changed: wire.changedDestination }),
        hop(8, 17_000, 28_500),
        hop(2, 18_000, 28_000),
        hop(3, 19_000, 27_000),
        hop(4, 20_000, 20_500),
        tcpContext(33_000, 5, {
          ...podB,
          interfaceIndex: 2,
          changed: wire.changedNetns | wire.changedInterface | wire.changedTtl,
        }),
        hop(5, 33_000, 50_900, 0, 1),
        hop(6, 33_500, 50_000, 0, 1),
        hop(9, 34_000, 49_000, 0, 1),
      ],
    )
    .clock(at(60_000), realtimeNs + 60_000n)
    .stats(at(60_000), [1n, 1n, 1n])
    .end()
    .bytes();
}

/** The same packet dropped by an nftables rule on the node, seen only through tracepoints and stacks. */
export function droppedSeenByTracepoints(): Uint8Array {
  const text = 0xffff_ffff_8100_0000n;
  const functions = [
    "bpf_trace_run2",
    "__traceiter_kfree_skb",
    "nft_do_chain",
    "nft_do_chain_ipv4",
    "nf_hook_slow",
    "ip_forward",
    "__netif_receive_skb_one_core",
    "process_backlog",
    "__napi_poll",
    "net_rx_action",
    "netif_rx_internal",
    "veth_xmit",
    "dev_hard_start_xmit",
    "__dev_queue_xmit",
    "ip_finish_output2",
    "__tcp_transmit_skb",
    "tcp_v4_connect",
    "inet_stream_connect",
    "__sys_connect",
    "do_syscall_64",
    "__traceiter_net_dev_queue",
    "__traceiter_netif_rx",
    "__traceiter_netif_receive_skb",
  ];
  const startOf = (name: string): bigint => text + BigInt(functions.indexOf(name)) * 0x1000n;
  const frame = (name: string, offset = 0x40): bigint => startOf(name) + BigInt(offset);
  const recording = start(wireBackend.tracepoint)
    .probe(0, "net_dev_queue", { kind: wireProbeKind.tracepoint })
    .probe(1, "netif_rx", { kind: wireProbeKind.tracepoint })
    .probe(2, "netif_receive_skb", { kind: wireProbeKind.tracepoint })
    .probe(3, "kfree_skb", { kind: wireProbeKind.tracepoint });
  const sender = [
    "ip_finish_output2",
    "__tcp_transmit_skb",
    "tcp_v4_connect",
    "inet_stream_connect",
    "__sys_connect",
    "do_syscall_64",
  ];
  const softirq = ["process_backlog", "__napi_poll", "net_rx_action"];
  const stacks: readonly (readonly bigint[])[] = [
    ["bpf_trace_run2", "__traceiter_net_dev_queue", "__dev_queue_xmit", ...sender].map((name) => frame(name)),
    [
      ...["bpf_trace_run2", "__traceiter_netif_rx", "netif_rx_internal", "veth_xmit", "dev_hard_start_xmit"].map(
        (name) => frame(name),
      ),
      frame("__dev_queue_xmit", 0x90),
      ...sender.map((name) => frame(name)),
    ],
    [
      ...["bpf_trace_run2", "__traceiter_netif_receive_skb"].map((name) => frame(name)),
      frame("__netif_receive_skb_one_core"),
      ...softirq.map((name) => frame(name)),
    ],
    [
      ...["bpf_trace_run2", "__traceiter_kfree_skb"].map((name) => frame(name)),
      frame("nft_do_chain", 0x1d3),
      ...["nft_do_chain_ipv4", "nf_hook_slow", "ip_forward"].map((name) => frame(name)),
      frame("__netif_receive_skb_one_core", 0x88),
      ...softirq.map((name) => frame(name)),
    ],
  ];
  for (const address of new Set(stacks.flat())) {
    const name = functions[Number((address - text) >> 12n)] ?? "";
    recording.symbol(address, startOf(name), name);
  }
  const moments = [900, 2_100, 9_000, 12_500];
  const node = { netnsInode: NODE, netnsCookie: 1n, interfaceIndex: 7, interfaceName: "veth-a" };
  const units = moments.flatMap((offset, probe): Unit[] => [
    ...(probe === 0 ? [tcpContext(offset, 0, {})] : []),
    ...(probe === 2 ? [tcpContext(offset, 2, { ...node, changed: wire.changedNetns | wire.changedInterface })] : []),
    { hop: { probe, enter: at(offset) } },
    { stack: { observed: at(offset), addresses: stacks[probe] ?? [] } },
  ]);
  return recording
    .journey(
      {
        skb: 0xffff_8880_04a1_c700n,
        startMonotonicNs: at(900),
        endMonotonicNs: at(12_600),
        end: wireJourneyEnd.dropped,
        dropReason: 8,
        dropLocation: frame("nft_do_chain", 0x1d3),
        flags: wire.journeyInProcess,
        processId: 1234,
        processName: "curl",
      },
      units,
    )
    .stats(at(60_000), [1n, 1n, 0n, 0n, 1n])
    .end()
    .bytes();
}

/** A retransmission that TCP did not need: dropped by design. Entries only, so that durations are inferred. */
export function benignDropSeenByEntries(): Uint8Array {
  return start(wireBackend.kprobe)
    .probe(0, "ip_rcv", { returnKind: wireReturnKind.integer })
    .probe(1, "tcp_v4_rcv")
    .probe(2, "tcp_data_queue")
    .symbol(0xffff_ffff_8200_0123n, 0xffff_ffff_8200_0000n, "tcp_data_queue")
    .journey(
      {
        skb: 0xffff_8880_0000_0100n,
        startMonotonicNs: at(0),
        endMonotonicNs: at(9_000),
        end: wireJourneyEnd.dropped,
        dropReason: 15,
        dropLocation: 0xffff_ffff_8200_0123n,
        lostHops: 2,
      },
      [
        tcpContext(0, 0, { tcpFlags: 0x18 }),
        { hop: { probe: 0, enter: at(0) } },
        { hop: { probe: 1, enter: at(3_000) } },
        { hop: { probe: 2, enter: at(5_500) } },
      ],
    )
    .end()
    .bytes();
}
