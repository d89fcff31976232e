import fc from "fast-check";
import { wire, wireBackend, wireProbeKind, wireStat } from "../../exporter/wire/layout.js";
import { buildRecording, type Unit } from "./build-recording.js";

/** Functions with and without a part in queues, so that waits appear and do not. */
export const probeNames = [
  "ip_rcv",
  "ip_finish_output2",
  "__dev_queue_xmit",
  "fq_codel_enqueue",
  "dev_hard_start_xmit",
  "enqueue_to_backlog",
  "__netif_receive_skb",
  "neigh_resolve_output",
  "tcp_v4_rcv",
  "tcp_data_queue",
  "skb_copy_datagram_iter",
  "kfree_skb",
] as const;

const startNs = 77_000_000_000_000n;
const textStart = 0xffff_ffff_8100_0000n;
const stackNames = ["nf_hook_slow", "nft_do_chain", "ip_forward", "process_backlog", "veth_xmit", "bpf_trace_run2"];

const offset = fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 2 ** 40 }));
const unsigned32 = fc.integer({ min: 0, max: 0xffff_ffff });
const unsigned16 = fc.integer({ min: 0, max: 0xffff });
const address = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 16, maxLength: 16 });

const hop = fc
  .record({
    probe: fc.integer({ min: 0, max: probeNames.length }),
    cpu: fc.integer({ min: 0, max: 3 }),
    enter: offset,
    lasts: fc.option(offset),
    returnValue: fc.integer({ min: -5000, max: 5000 }),
  })
  .map(({ enter, lasts, ...rest }): Unit => {
    const entered = startNs + BigInt(enter);
    return { hop: { ...rest, enter: entered, ...(lasts === null ? {} : { leave: entered + BigInt(lasts) }) } };
  });

const context = fc
  .record({
    observed: offset,
    netnsInode: fc.constantFrom(0, 4026531840, 4026532200, 4026532300),
    interfaceName: fc.constantFrom("", "eth0", "veth-é", "cali0123456789a"),
    interfaceIndex: fc.integer({ min: 0, max: 3 }),
    mark: unsigned32,
    length: unsigned32,
    ethertype: fc.constantFrom(0x0800, 0x86dd, 0x0806, 0x88cc, 0),
    ipVersion: fc.constantFrom(0, 4, 6),
    transport: fc.constantFrom(1, 6, 17, 58, 132, 253),
    source: address,
    destination: address,
    sourcePort: unsigned16,
    destinationPort: unsigned16,
    tcpSequence: unsigned32,
    tcpFlags: fc.integer({ min: 0, max: 255 }),
    ipId: unsigned16,
    gsoSegments: fc.integer({ min: 0, max: 40 }),
    flags: fc.integer({ min: 0, max: 7 }),
    changed: fc.integer({ min: 0, max: 255 }),
    atProbe: fc.integer({ min: 0, max: probeNames.length }),
  })
  .map(({ observed, ...rest }): Unit => ({ context: { ...rest, observedMonotonicNs: startNs + BigInt(observed) } }));

const stack = fc
  .record({ observed: offset, frames: fc.array(fc.nat(stackNames.length + 1), { maxLength: 20 }) })
  .map(({ observed, frames }): Unit => {
    const addresses = frames.map((frame) => textStart + BigInt(frame) * 0x1000n + 0x40n);
    return { stack: { observed: startNs + BigInt(observed), addresses } };
  });

/** A stream of journeys of any shape that the wire allows, sensible or not. */
export const arbitraryRecording: fc.Arbitrary<Uint8Array> = fc
  .record({
    backend: fc.integer({ min: wireBackend.kprobeSession, max: wireBackend.drops }),
    journeys: fc.array(
      fc.record({
        units: fc.array(fc.oneof({ weight: 6, arbitrary: hop }, context, stack), { maxLength: 40 }),
        end: fc.integer({ min: 0, max: 6 }),
        durationNs: offset,
        dropReason: fc.integer({ min: 0, max: 4 }),
        dropFrame: fc.nat(stackNames.length + 1),
        flags: fc.integer({ min: 0, max: 15 }),
        lostHops: fc.integer({ min: 0, max: 2 }),
        processName: fc.constantFrom("", "curl", "naïve"),
        skb: fc.bigInt({ min: 0xffff_8000_0000_0000n, max: 0xffff_ffff_ffff_ffffn }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  })
  .map(({ backend, journeys }) => {
    const recording = buildRecording().hello({
      backend,
      startMonotonicNs: startNs - 1000n,
      startRealtimeNs: 1_790_000_000_000_000_000n,
      nodeNetnsInode: 4026531840,
      hostName: "worker",
    });
    probeNames.forEach((name, index) => {
      const kind = name === "kfree_skb" ? wireProbeKind.tracepoint : wireProbeKind.function;
      recording.probe(index, name, { kind, returnKind: index % 11 });
    });
    stackNames.forEach((name, index) => {
      const functionStart = textStart + BigInt(index) * 0x1000n;
      recording.symbol(functionStart + 0x40n, functionStart, name);
    });
    recording.namespace(4026532200, "pod-a").dropReason(1, "SKB_CONSUMED").dropReason(2, "SKB_DROP_REASON_NO_SOCKET");
    for (const { units, durationNs, dropFrame, ...fields } of journeys)
      recording.journey(
        {
          ...fields,
          startMonotonicNs: startNs,
          endMonotonicNs: startNs + BigInt(durationNs),
          dropLocation: textStart + BigInt(dropFrame) * 0x1000n + 0x40n,
          processId: 42,
        },
        units,
      );
    return recording
      .stats(startNs, new Array(wireStat.count).fill(1n))
      .clock(startNs, 1_790_000_000_000_000_000n)
      .end(wire.journeyClone)
      .bytes();
  });
