import assert from "node:assert/strict";
import { test } from "node:test";
import { buildRecording } from "../../test/lib/build-recording.js";
import { buildExampleRecording } from "../../test/lib/example-recording.js";
import { createNodeState, type NodeState } from "../enrich/create-node-state.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createPipeline } from "../pipeline.js";
import { wire } from "../wire/layout.js";
import { createDropCounter, DROP_SERIES_LIMITS, type DropCounter } from "./create-drop-counter.js";

const NODE_INODE = 4026531840;
const POD_INODE = 4026532100;

interface Packet {
  readonly source?: readonly number[];
  readonly port?: number;
  readonly reason?: number;
  readonly location?: bigint;
}

/** Drops, each with a first sight in the pod and a drop on the node. */
function recordDrops(packets: readonly Packet[]): Uint8Array {
  const builder = buildRecording()
    .hello({ startMonotonicNs: 1_000n, startRealtimeNs: 1_700_000_000_000_000_000n, kernelRelease: "6.12.0" })
    .probe(0, "ip_output")
    .probe(1, "nf_hook_slow")
    .symbol(0x1010n, 0x1000n, "nf_hook_slow")
    .dropReason(3, "SKB_DROP_REASON_NO_SOCKET")
    .dropReason(5, "SKB_DROP_REASON_SOCKET_CLOSE")
    .dropReason(8, "SKB_DROP_REASON_NETFILTER_DROP")
    .namespace(NODE_INODE, "", wire.namespaceNode)
    .namespace(POD_INODE, "pod-a");
  packets.forEach(({ source = [10, 0, 0, 1], port = 80, reason = 8, location = 0x1010n }, index) => {
    const start = 1_000_000n + BigInt(index) * 1_000n;
    const context = {
      ...{ ethertype: 0x0800, ipVersion: 4, transport: 6, source, destination: [10, 0, 0, 2], sourcePort: 40_000 },
      ...{ destinationPort: port, length: 60, flags: wire.contextNetwork | wire.contextTransport },
    };
    builder.journey(
      { startMonotonicNs: start, endMonotonicNs: start + 500n, end: 3, dropReason: reason, dropLocation: location },
      [
        { context: { ...context, observedMonotonicNs: start, netnsInode: POD_INODE } },
        { hop: { probe: 0, enter: start, leave: start + 100n } },
        { context: { ...context, observedMonotonicNs: start + 200n, netnsInode: NODE_INODE } },
        { hop: { probe: 1, enter: start + 200n, leave: start + 500n } },
      ],
    );
  });
  return builder.end().bytes();
}

/** Counts what the pipeline maps, though nothing of it is kept or exported. */
function count(recording: Uint8Array, counter: DropCounter): { state: NodeState; seen: JourneySpans[] } {
  const seen: JourneySpans[] = [];
  const pipeline = createPipeline({
    sinks: [],
    keep: () => false,
    onMapped(spans) {
      seen.push(spans);
      counter.count(spans, pipeline.state);
    },
  });
  pipeline.push(recording);
  pipeline.end();
  return { state: pipeline.state, seen };
}

test("a fault is counted by reason, place and both ends, with its newest trace; the first read gives 0", () => {
  const counter = createDropCounter(() => 0);
  const { seen } = count(recordDrops([{}, {}]), counter);
  const labels = {
    ...{ reason: "NETFILTER_DROP", location: "nf_hook_slow", place: "linux-network", namespace: "", workload: "pod-a" },
    ...{ source: "10.0.0.1", destination: "10.0.0.2:80" },
  };
  assert.deepEqual(counter.series(), [{ labels, count: 0, exemplar: undefined }]);
  const [series, ...more] = counter.series();
  assert.deepEqual([series?.labels, series?.count, more], [labels, 2, []]);
  assert.equal(series?.exemplar?.traceId, Buffer.from(seen[1]?.traceId ?? []).toString("hex"));
  assert.match(series?.exemplar?.spanId ?? "", /^[0-9a-f]{16}$/);
  assert.equal(series?.exemplar?.unixMs, 1_700_000_000_001);
});

test("every reason of the kernel stands at 0 before its first drop; what is no fault has no series", () => {
  const counter = createDropCounter(() => 0);
  const { state } = count(recordDrops([{}, { reason: 5 }]), counter);
  assert.deepEqual(Object.fromEntries(counter.byReason(state)), { NO_SOCKET: 0, SOCKET_CLOSE: 1, NETFILTER_DROP: 1 });
  assert.equal(counter.series().length, 1);
  assert.equal(createDropCounter(() => 0).byReason(createNodeState()).size, 0);
});

test("series are bounded, nothing goes uncounted, and an idle one makes room", () => {
  let nowMs = 0;
  const counter = createDropCounter(() => nowMs);
  const { detailed } = DROP_SERIES_LIMITS;
  count(recordDrops(Array.from({ length: detailed + 20 }, (_, index) => ({ port: index + 1 }))), counter);
  counter.series();
  const series = counter.series();
  assert.equal(series.length, detailed + 1);
  const others = series.filter(({ labels }) => labels.source === "other" && labels.destination === "other");
  assert.deepEqual(
    others.map((each) => [each.count, each.labels.workload, each.labels.location]),
    [[20, "pod-a", "nf_hook_slow"]],
  );
  assert.equal(
    series.reduce((sum, each) => sum + each.count, 0),
    detailed + 20,
  );
  nowMs = DROP_SERIES_LIMITS.idleMs;
  count(recordDrops([{ source: [10, 9, 9, 9] }]), counter);
  const later = counter.series();
  assert.equal(later.length, detailed + 1);
  assert.ok(later.some(({ labels }) => labels.source === "10.9.9.9"));
  assert.ok(!later.some(({ labels }) => labels.destination === "10.0.0.2:1"), "the one that was idle longest is gone");
});

test("journeys that were not dropped are not counted", () => {
  const counter = createDropCounter(() => 0);
  const { state } = count(buildExampleRecording(30), counter);
  assert.deepEqual(Object.fromEntries(counter.byReason(state)), { NETFILTER_DROP: 10 });
});
