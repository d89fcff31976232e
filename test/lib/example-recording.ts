import { wire, wireStat } from "../../exporter/wire/layout.js";
import { buildRecording, type RecordingBuilder } from "./build-recording.js";

const START = 1_000_000_000n;
const DROPPED = 3;
const DELIVERED = 1;

/** A small recording made by hand: journeys of which every third is dropped, 1 ms apart, the n-th n µs long. */
export function buildExampleRecording(journeys: number): Uint8Array {
  const builder = buildRecording()
    .hello({
      startMonotonicNs: START,
      startRealtimeNs: 1_700_000_000_000_000_000n,
      cpuCount: 2,
      backend: 2,
      kernelRelease: "6.12.0",
    })
    .probe(0, "ip_rcv", { returnKind: 2 })
    .probe(1, "tcp_v4_rcv", { returnKind: 2 })
    .dropReason(8, "SKB_DROP_REASON_NETFILTER_DROP")
    .namespace(4026531840, "", wire.namespaceNode);
  for (let index = 0; index < journeys; index++) addJourney(builder, index);
  const stats = Array.from({ length: wireStat.count }, () => 0n);
  const dropped = Math.ceil(journeys / 3);
  stats[wireStat.started] = stats[wireStat.sent] = BigInt(journeys);
  stats[wireStat.dropped] = BigInt(dropped);
  stats[wireStat.delivered] = BigInt(journeys - dropped);
  stats[wireStat.lostRingFull] = 1234n;
  return builder.stats(START, stats).end().bytes();
}

function addJourney(builder: RecordingBuilder, index: number): void {
  const start = START + BigInt(index) * 1_000_000n;
  const end = start + BigInt(index) * 1000n + 1000n;
  const isDropped = index % 3 === 0;
  builder.journey(
    {
      skb: 0xffff_8880_0000_0000n + BigInt(index) * 256n,
      startMonotonicNs: start,
      endMonotonicNs: end,
      end: isDropped ? DROPPED : DELIVERED,
      dropReason: isDropped ? 8 : 0,
    },
    [
      {
        context: {
          observedMonotonicNs: start,
          netnsInode: 4026531840,
          ethertype: 0x0800,
          ipVersion: 4,
          transport: 6,
          source: [10, 0, 0, 1],
          destination: [10, 0, 0, 2],
          sourcePort: 40000 + (index % 1000),
          destinationPort: 80,
          length: 60,
          flags: wire.contextNetwork | wire.contextTransport,
        },
      },
      { hop: { probe: 0, enter: start, leave: end } },
      { hop: { probe: 1, enter: start + 10n, leave: end - 10n, returnValue: 0 } },
    ],
  );
}
