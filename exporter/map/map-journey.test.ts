import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryRecording } from "../../test/lib/arbitrary-recording.js";
import { buildRecording, type Unit } from "../../test/lib/build-recording.js";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { benignDropSeenByEntries, droppedSeenByTracepoints, tcpAcrossNode } from "../../test/lib/example-recordings.js";
import type { FarEnds } from "../enrich/far-end.js";
import { wireBackend, wireJourneyEnd } from "../wire/layout.js";
import { attributes } from "./attributes.js";
import { formatSpanId, listAttributes } from "./list-attributes.js";
import type { JourneySpans, PacketSpan } from "./packet-span.js";

function only(recording: Uint8Array): JourneySpans {
  const journeys = collectJourneys(recording);
  assert.equal(journeys.length, 1);
  return journeys[0] as JourneySpans;
}

function valuesOf(span: PacketSpan | undefined): Record<string, unknown> {
  assert.ok(span);
  return Object.fromEntries(listAttributes(span).map(({ definition, value }) => [definition.key, value]));
}

/** "parent > child" of every span below the root, and the root's children alone. */
function nestingOf({ spans }: JourneySpans): string[] {
  return spans.slice(1).map((span) => {
    return span.parent === 0 ? span.shape.name : `${spans[span.parent]?.shape.name} > ${span.shape.name}`;
  });
}

function find({ spans }: JourneySpans, name: string): PacketSpan | undefined {
  return spans.find((span) => span.shape.name === name);
}

test("any journey the wire allows maps to a well-formed tree", () => {
  fc.assert(
    fc.property(arbitraryRecording, (recording) => {
      for (const journeySpans of collectJourneys(recording)) assertWellFormed(journeySpans);
    }),
    { numRuns: 500 },
  );
});

function assertWellFormed(journeySpans: JourneySpans): void {
  const { spans, journey, traceId } = journeySpans;
  assert.equal(traceId.length, 16);
  assert.ok(traceId.some((byte) => byte !== 0));
  assert.equal(new Set(spans.map(formatSpanId)).size, spans.length);
  spans.forEach((span, index) => {
    assert.ok(index === 0 ? span.parent === -1 : span.parent >= 0 && span.parent < index, `parent of span ${index}`);
    assert.ok(span.endOffsetNs > span.startOffsetNs);
    const parent = spans[span.parent];
    if (parent) assert.ok(parent.endOffsetNs >= span.endOffsetNs, `span ${index} outlasts its parent`);
    if (parent) assert.ok(parent.startOffsetNs <= span.startOffsetNs, `span ${index} begins before its parent`);
    assert.equal(span.shape.kind === "root", index === 0);
    const list = listAttributes(span);
    assert.equal(new Set(list.map(({ definition }) => definition.key)).size, list.length, "a key stands twice");
    for (const { definition, value } of list) {
      const type = Array.isArray(value) ? "string[]" : typeof value === "number" ? "int" : typeof value;
      assert.equal(type, definition.type, definition.key);
      if (typeof value === "number") assert.ok(Number.isSafeInteger(value) && value >= 0, `${definition.key} ${value}`);
    }
    if (span.fault) assert.equal(journey.end, "dropped");
  });
  const hopSpans = spans.filter((span) => {
    return span.shape.kind === "hop" && !span.shape.attributes.some(({ value }) => value === "stack");
  });
  assert.equal(hopSpans.length, journey.hops.length, "a span for each hop");
  assert.equal(journeySpans.isFault, spans[0]?.fault !== undefined);
  assert.equal(journeySpans.isFault, spans[0]?.shape.name.endsWith("dropped"));
}

test("hops nest by entry and return, and a queue begins a new call chain", () => {
  assert.deepEqual(nestingOf(only(tcpAcrossNode())), [
    "__tcp_transmit_skb",
    "__tcp_transmit_skb > __ip_queue_xmit",
    "__ip_queue_xmit > __dev_queue_xmit",
    "__dev_queue_xmit > veth_xmit",
    "veth_xmit > enqueue_to_backlog",
    "wait: backlog",
    "__netif_receive_skb",
    "__netif_receive_skb > ip_rcv",
    "ip_rcv > nf_nat_ipv4_pre_routing",
    "ip_rcv > ip_forward",
    "ip_forward > __dev_queue_xmit",
    "__dev_queue_xmit > veth_xmit",
    "veth_xmit > enqueue_to_backlog",
    "wait: backlog",
    "__netif_receive_skb",
    "__netif_receive_skb > ip_rcv",
    "ip_rcv > tcp_v4_rcv",
  ]);
});

test("a delivered journey has all that was seen of it", () => {
  const journeySpans = only(tcpAcrossNode());
  const [root] = journeySpans.spans;
  assert.equal(root?.shape.name, "tcp packet");
  assert.equal(root?.shape.identity.label, "pod-a");
  assert.equal(root?.fault, undefined);
  assert.deepEqual(valuesOf(root), {
    "source.address": "10.9.1.2",
    "destination.address": "10.96.0.1",
    "source.port": 40000,
    "destination.port": 80,
    "network.type": "ipv4",
    "network.transport": "tcp",
    "tcp.flags": "SYN",
    "tcp.sequence": 0xdead_beef,
    "tcp.acknowledgement": 0,
    "ip.id": 4711,
    "ip.ttl": 64,
    "source.mac": "02:00:00:00:00:01",
    "destination.mac": "02:00:00:00:00:02",
    "skb.protocol": "0x0800",
    "skb.len": 60,
    "skb.mark": 0,
    "netns.inode": 4026532200,
    "network.interface.name": "eth0",
    "network.interface.index": 2,
    "skb.address": "0xffff888004a1c700",
    "journey.end": "delivered",
    "journey.hops": 15,
    "journey.lost_hops": 0,
    "journey.duration_ns": 51_000,
    "journey.backend": "kprobe.session",
    "journey.complete": true,
    "process.pid": 1234,
    "process.executable.name": "curl",
  });
  assert.deepEqual(valuesOf(find(journeySpans, "veth_xmit")), {
    "hop.offset_ns": 1_500,
    "hop.duration_ns": 2_500,
    "code.function.name": "veth_xmit",
    "code.module": "veth",
    "cpu.logical_number": 0,
    "hop.source": "probe",
    "skb.address": "0xffff888004a1c700",
    "netns.inode": 4026532200,
    "network.interface.name": "eth0",
    "network.interface.index": 2,
    "skb.len": 60,
    "skb.mark": 0,
    "process.pid": 1234,
    "process.executable.name": "curl",
    "hop.return_value": "NETDEV_TX_OK",
  });
  const received = valuesOf(find(journeySpans, "ip_forward"));
  assert.equal(received["process.pid"], undefined, "the receiver's functions are not the sender's process");
  assert.deepEqual(received["skb.changed"], ["destination: 10.96.0.1:80 -> 10.9.2.2:8080"]);
  assert.equal(find(journeySpans, "tcp_v4_rcv")?.shape.identity.label, "pod-b");
  assert.equal(journeySpans.startRealtimeNs, 1_790_000_000_123_456_789n);
});

test("on tracepoints the functions between come from stacks, shared as long as nothing around them moved", () => {
  const journeySpans = only(droppedSeenByTracepoints());
  assert.deepEqual(nestingOf(journeySpans), [
    "inet_stream_connect",
    "inet_stream_connect > tcp_v4_connect",
    "tcp_v4_connect > __tcp_transmit_skb",
    "__tcp_transmit_skb > ip_finish_output2",
    "ip_finish_output2 > __dev_queue_xmit",
    "__dev_queue_xmit > net_dev_queue",
    "__dev_queue_xmit > dev_hard_start_xmit",
    "dev_hard_start_xmit > veth_xmit",
    "veth_xmit > netif_rx_internal",
    "netif_rx_internal > netif_rx",
    "wait: backlog",
    "__netif_receive_skb_one_core",
    "__netif_receive_skb_one_core > netif_receive_skb",
    "__netif_receive_skb_one_core > ip_forward",
    "ip_forward > nf_hook_slow",
    "nf_hook_slow > nft_do_chain_ipv4",
    "nft_do_chain_ipv4 > nft_do_chain",
    "nft_do_chain > kfree_skb",
  ]);
  const shared = find(journeySpans, "__dev_queue_xmit");
  assert.equal(shared?.durationNs, 1_200);
  const values = valuesOf(shared);
  assert.equal(values["hop.source"], "stack");
  assert.equal(values["hop.duration_inferred"], true);
  assert.equal(valuesOf(find(journeySpans, "net_dev_queue"))["hop.source"], "tracepoint");
});

test("a drop is an error on the root and on the function that dropped, and nowhere else", () => {
  const journeySpans = only(droppedSeenByTracepoints());
  const [root] = journeySpans.spans;
  assert.equal(root?.shape.name, "tcp packet dropped");
  assert.deepEqual(
    journeySpans.spans.filter((span) => span.fault).map((span) => span.shape.name),
    ["tcp packet dropped", "nft_do_chain"],
  );
  for (const span of [root, find(journeySpans, "nft_do_chain")]) {
    const values = valuesOf(span);
    assert.equal(values["error.type"], "NETFILTER_DROP");
    assert.equal(values["skb.drop.reason"], "NETFILTER_DROP");
    assert.equal(values["skb.drop.location"], "nft_do_chain+0x1d3");
    assert.match(String(values["skb.drop.advice"]), /nft list ruleset/);
    assert.match(span?.fault?.description ?? "", /^NETFILTER_DROP in nft_do_chain: A firewall rule/);
  }
  assert.match(
    String(valuesOf(find(journeySpans, "nft_do_chain"))["code.stacktrace"]),
    /nft_do_chain\+0x1d3\n.*\n.*ip_forward/s,
  );
});

test("a drop by design is no error; entries alone give inferred durations", () => {
  const journeySpans = only(benignDropSeenByEntries());
  const [root] = journeySpans.spans;
  assert.equal(root?.shape.name, "tcp packet");
  assert.equal(journeySpans.spans.filter((span) => span.fault).length, 0);
  assert.equal(valuesOf(root)["skb.drop.reason"], "TCP_OLD_DATA");
  assert.equal(valuesOf(root)["error.type"], undefined);
  assert.equal(valuesOf(root)["journey.complete"], false, "hops were lost");
  const durations = journeySpans.spans.slice(1).map((span) => [span.shape.name, span.durationNs]);
  assert.deepEqual(durations, [
    ["ip_rcv", 3_000],
    ["tcp_v4_rcv", 2_500],
    ["tcp_data_queue", 3_500],
  ]);
  assert.equal(valuesOf(journeySpans.spans[1])["hop.duration_inferred"], true);
});

test("handing a packet on at once is no wait; taking it out later is", () => {
  const journey = (units: readonly Unit[]) => {
    const names = [
      "__dev_queue_xmit",
      "fq_codel_enqueue",
      "dev_hard_start_xmit",
      "tcp_data_queue",
      "skb_copy_datagram_iter",
    ];
    const recording = buildRecording().hello({ backend: wireBackend.kprobeSession });
    for (const [index, name] of names.entries()) recording.probe(index, name);
    const fields = { endMonotonicNs: 900_000n, end: wireJourneyEnd.delivered };
    return nestingOf(only(recording.journey(fields, units).end().bytes())).filter((name) => name.startsWith("wait"));
  };
  const hop = (probe: number, enter: number, leave: number, cpu = 0): Unit => {
    return { hop: { probe, cpu, enter: BigInt(enter), leave: BigInt(leave) } };
  };
  assert.deepEqual(journey([hop(0, 1, 90), hop(1, 10, 20), hop(2, 30, 80)]), []);
  assert.deepEqual(journey([hop(0, 1, 25), hop(1, 10, 20), hop(2, 30, 80)]), ["wait: qdisc"]);
  assert.deepEqual(journey([hop(0, 1, 90), hop(1, 10, 20), hop(2, 30, 80, 1)]), ["wait: qdisc"]);
  assert.deepEqual(journey([hop(3, 1, 20), hop(4, 500, 600, 1)]), ["wait: socket receive queue"]);
});

test("one packet has one trace id on two nodes, another packet has another", () => {
  const context = (fields: object): Unit => ({
    context: {
      flags: 6,
      ethertype: 0x0800,
      ipVersion: 4,
      transport: 6,
      source: [10, 0, 0, 1],
      destination: [10, 0, 0, 2],
      sourcePort: 4000,
      destinationPort: 80,
      tcpSequence: 7,
      ipId: 99,
      ...fields,
    },
  });
  const traceId = (probe: string, units: readonly Unit[], hostId = "a", fields: object = {}) => {
    const recording = buildRecording().hello({ backend: wireBackend.kprobeSession, hostId }).probe(0, probe);
    const whole = recording
      .journey(fields, [{ hop: { probe: 0, enter: 1n, leave: 2n } }, ...units])
      .end()
      .bytes();
    return Buffer.from(only(whole).traceId).toString("hex");
  };
  // Sent with a translated source, received with a translated destination: on the wire between they are the same.
  const sent = traceId("__ip_queue_xmit", [context({ source: [172, 16, 0, 9] }), context({ changed: 8, ttl: 63 })]);
  const received = traceId("napi_gro_receive", [context({ ttl: 60 }), context({ destination: [10, 9, 9, 9] })], "b");
  assert.equal(sent, received);
  for (const difference of [{ tcpSequence: 8 }, { ipId: 100 }, { sourcePort: 4001 }, { tcpFlags: 0x10 }])
    assert.notEqual(traceId("napi_gro_receive", [context(difference)]), received);
  // Two UDP packets of a flow without an identification cannot be told apart: each gets an id of its own.
  const udp = context({ transport: 17, ipId: 0 });
  const first = traceId("napi_gro_receive", [udp], "a", { startMonotonicNs: 1n });
  assert.notEqual(traceId("napi_gro_receive", [udp], "a", { startMonotonicNs: 2n }), first);
});

test("the attribute table is in order", () => {
  const keys = Object.values(attributes).map((definition) => definition.key);
  assert.equal(new Set(keys).size, keys.length);
  for (const key of keys) assert.match(key, /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/);
});

test("the ends of a packet are named when somebody knows whose their addresses are", () => {
  const asked: [string, number | undefined][] = [];
  const farEnds: FarEnds = {
    find(address, port) {
      asked.push([address, port]);
      if (asked.length === 1) return { namespace: "shop", pod: "checkout-x" };
      return { namespace: "money", service: "pay" };
    },
  };
  const [journey] = collectJourneys(tcpAcrossNode(), { farEnds });
  const values = valuesOf(journey?.spans[0]);
  assert.deepEqual(asked, [
    [values["source.address"], values["source.port"]],
    [values["destination.address"], values["destination.port"]],
  ]);
  assert.equal(values["source.k8s.pod.name"], "checkout-x");
  assert.equal(values["source.k8s.namespace.name"], "shop");
  assert.equal(values["source.k8s.service.name"], undefined);
  assert.equal(values["destination.k8s.service.name"], "pay");
  assert.equal(values["destination.k8s.namespace.name"], "money");
});
