import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildJourney, buildSpan, CLIENT_RESOURCE, NODE_RESOURCE, traceIdOf } from "../../test/lib/build-span.js";
import { createTraceStore } from "./create-trace-store.js";
import { describeTrace } from "./describe-trace.js";
import { groupPaths, percentile } from "./group-paths.js";
import { ANY_JOURNEY, groupDrops, selectJourneys, sortJourneys } from "./select-journeys.js";
import { SPAN_KIND_CLIENT, type SpanRecord, STATUS_ERROR } from "./span-record.js";
import { type JourneyRecord, summariseTrace } from "./summarise-trace.js";

function recordsOf(...traces: readonly SpanRecord[][]): JourneyRecord[] {
  const store = createTraceStore();
  for (const spans of traces) store.add(spans);
  return [...store.traces()].flatMap(summariseTrace);
}

const application = { name: "http", version: "1" };
const fault = { statusCode: STATUS_ERROR, statusMessage: "NETFILTER_DROP in nft_do_chain: a rule dropped it" };

function buildDrop(number: number, port: number): SpanRecord[] {
  const drop = {
    "skb.drop.reason": "NETFILTER_DROP",
    "skb.drop.location": "nft_do_chain+0x1d3",
    "skb.drop.advice": "look at the rules",
  };
  const packet = {
    "source.address": "10.9.1.2",
    "source.port": 40_000,
    "destination.address": "10.9.2.2",
    "destination.port": port,
  };
  const [root, first, last] = buildJourney(number, ["ip_rcv", "nft_do_chain"], {
    name: "tcp packet dropped",
    attributes: { ...packet, ...drop, "journey.end": "dropped" },
    ...fault,
  });
  assert.ok(root && first && last);
  return [root, first, { ...last, ...fault, attributes: { ...drop, "network.interface.name": "veth-client" } }];
}

describe("summariseTrace", () => {
  it("tells where and why a packet was dropped", () => {
    const [record] = recordsOf(buildDrop(1, 8081));
    assert.ok(record);
    assert.equal(record.summary.end, "dropped");
    assert.equal(record.summary.failed, true);
    assert.deepEqual(record.summary.destination, { address: "10.9.2.2", port: 8081 });
    assert.deepEqual(record.summary.drop, {
      reason: "NETFILTER_DROP",
      function: "nft_do_chain",
      location: "nft_do_chain+0x1d3",
      advice: "look at the rules",
      namespace: "node",
      interface: "veth-client",
    });
  });

  it("lists namespaces in the order in which they were crossed", () => {
    const root = buildSpan({
      name: "tcp packet",
      resource: CLIENT_RESOURCE,
      attributes: { "journey.end": "delivered" },
    });
    const at = (offset: bigint, resource: SpanRecord["resource"]) =>
      buildSpan({ parentSpanId: root.spanId, startUnixNs: root.startUnixNs + offset, resource });
    const [record] = recordsOf([at(500n, NODE_RESOURCE), root, at(10n, CLIENT_RESOURCE)]);
    assert.deepEqual(record?.summary.namespaces, ["client", "node"]);
  });

  it("makes an application's trace one row, and a journey in it a row of its own", () => {
    const get = buildSpan({ name: "GET /cart", scope: application, endUnixNs: 1_795_000_000_005_000_000n });
    const query = buildSpan({ name: "SELECT", scope: application, parentSpanId: get.spanId });
    const [row, ...others] = recordsOf([query, get]);
    assert.equal(others.length, 0);
    assert.equal(row?.summary.kind, "application");
    assert.equal(row?.summary.name, "GET /cart");
    assert.equal(row?.summary.durationNs, 5_000_000);
    const packet = buildSpan({
      name: "tcp packet",
      parentSpanId: get.spanId,
      attributes: { "journey.end": "delivered" },
    });
    const [whole, joined, ...more] = recordsOf([query, packet, get]);
    assert.equal(more.length, 0);
    assert.deepEqual(
      [whole?.summary.kind, whole?.summary.name, whole?.summary.packets],
      ["application", "GET /cart", 1],
    );
    assert.equal(whole?.summary.hops, 2, "its own spans");
    assert.equal(joined?.summary.kind, "journey");
    assert.equal(joined?.summary.joined, true);
    assert.equal(joined?.summary.request, "GET /cart of node");
  });

  it("calls an application's trace failed when a packet of it was dropped", () => {
    const get = buildSpan({
      name: "GET",
      scope: application,
      kind: SPAN_KIND_CLIENT,
      attributes: { "url.full": "http://10.9.2.2:8081/cart" },
      statusCode: STATUS_ERROR,
      statusMessage: "no answer",
    });
    const [root, ...hops] = buildDrop(1, 8081).map((span) => ({ ...span, traceId: get.traceId }));
    assert.ok(root);
    const [whole, drop] = recordsOf([get, { ...root, parentSpanId: get.spanId }, ...hops]);
    assert.deepEqual([whole?.summary.failed, whole?.summary.kind], [true, "application"]);
    const { packets, failedPackets, url, problem } = whole?.summary ?? {};
    assert.deepEqual([packets, failedPackets, url, problem], [1, 1, "http://10.9.2.2:8081/cart", "no answer"]);
    assert.equal(drop?.summary.drop?.reason, "NETFILTER_DROP");
    assert.equal(drop?.request?.spanId, get.spanId);
  });

  it("says of packets whose application's spans are elsewhere that they are part of its trace", () => {
    const [root, ...hops] = buildJourney(1, ["ip_rcv"], { parentSpanId: "00000000000000aa" });
    assert.ok(root);
    const records = recordsOf([root, ...hops]);
    assert.deepEqual(
      records.map(({ summary }) => [summary.kind, summary.joined, summary.request]),
      [["journey", true, undefined]],
    );
  });

  it("keeps the hops of two journeys of one trace apart, and survives parents in a circle", () => {
    const [first, second] = recordsOf([...buildJourney(1, ["ip_rcv", "tcp_v4_rcv"]), ...buildJourney(1, ["arp_rcv"])]);
    assert.deepEqual([first?.functions, second?.functions], [["ip_rcv", "tcp_v4_rcv"], ["arp_rcv"]]);
    const a = buildSpan({ parentSpanId: "000000000000aaaa", spanId: "000000000000bbbb" });
    const b = buildSpan({ parentSpanId: "000000000000bbbb", spanId: "000000000000aaaa" });
    assert.equal(recordsOf([a, b]).length, 1);
  });
});

describe("selectJourneys", () => {
  const records = recordsOf(buildDrop(1, 8081), buildDrop(2, 9090), buildJourney(3, ["ip_rcv", "tcp_v4_rcv"]));
  const select = (filter: Partial<typeof ANY_JOURNEY>) =>
    selectJourneys(records, { ...ANY_JOURNEY, ...filter })
      .map(({ summary }) => Number.parseInt(summary.traceId, 16))
      .sort();
  const cases: readonly [Partial<typeof ANY_JOURNEY>, readonly number[]][] = [
    [{}, [1, 2, 3]],
    [{ end: "dropped" }, [1, 2]],
    [{ port: 8081 }, [1]],
    [{ address: "10.9." }, [1, 2]],
    [{ function: "tcp_v4" }, [3]],
    [{ namespace: "node" }, [1, 2, 3]],
    [{ namespace: "nod" }, []],
    [{ minDurationNs: 1_001 }, []],
    [{ text: "VETH-client" }, [1, 2]],
    [{ text: "netfilter 9090" }, [2]],
    [{ text: "netfilter tcp_v4_rcv" }, []],
  ];
  for (const [filter, expected] of cases) {
    it(`finds ${expected.length} by ${JSON.stringify(filter)}`, () => assert.deepEqual(select(filter), expected));
  }
});

describe("sortJourneys and groupDrops", () => {
  it("puts drops first when the worst is asked for, and counts their causes", () => {
    const records = recordsOf(buildJourney(1, ["ip_rcv"]), buildDrop(2, 8081), buildDrop(3, 8081), buildDrop(4, 22));
    assert.equal(sortJourneys([...records], "worst")[3]?.summary.traceId, traceIdOf(1));
    const [group, ...others] = groupDrops(records);
    assert.equal(others.length, 0);
    assert.deepEqual([group?.count, group?.reason, group?.destination], [3, "NETFILTER_DROP", "10.9.2.2:8081"]);
  });

  it("does not call a drop by design one", () => {
    const attributes = { "journey.end": "dropped", "skb.drop.reason": "TCP_OLD_DATA" };
    const records = recordsOf(buildJourney(1, ["tcp_data_queue"], { attributes }));
    assert.equal(records[0]?.summary.drop?.reason, "TCP_OLD_DATA");
    assert.deepEqual(groupDrops(records), []);
  });
});

describe("groupPaths", () => {
  it("groups by the sequence of functions and gives measured percentiles", () => {
    const lasting = (number: number, durationNs: number, functions: readonly string[]) =>
      buildJourney(number, functions, { attributes: { "journey.duration_ns": durationNs } });
    const records = recordsOf(
      ...Array.from({ length: 100 }, (_, index) => lasting(index + 1, (index + 1) * 10, ["ip_rcv", "tcp_v4_rcv"])),
      lasting(101, 5, ["tcp_v4_rcv", "ip_rcv"]),
    );
    const [path, other] = groupPaths(records);
    assert.deepEqual([path?.count, path?.p50Ns, path?.p99Ns, other?.count], [100, 500, 990, 1]);
    assert.deepEqual(path?.ends, { delivered: 100 });
  });

  it("takes the only value for every percentile", () => {
    assert.deepEqual([percentile([7], 0.5), percentile([7], 0.99), percentile([], 0.5)], [7, 7, 0]);
  });
});

describe("describeTrace", () => {
  it("gives offsets from the start, one entry a resource, and a journey before its hops", () => {
    const store = createTraceStore();
    const [root, hop] = buildJourney(1, ["tcp_sendmsg"]);
    assert.ok(root && hop);
    // A function that sends can return long after the packet has ended.
    const late = { ...hop, endUnixNs: root.endUnixNs + 500n };
    store.add([
      late,
      root,
      buildSpan({
        traceId: root.traceId,
        parentSpanId: root.spanId,
        startUnixNs: root.startUnixNs + 300n,
        resource: CLIENT_RESOURCE,
      }),
    ]);
    const trace = store.get(root.traceId);
    assert.ok(trace);
    const answer = describeTrace(trace);
    assert.deepEqual(
      answer.spans.map(({ role, startNs, resource }) => [role, startNs, resource]),
      [
        ["journey", 0, 0],
        ["hop", 0, 0],
        ["hop", 300, 1],
      ],
    );
    assert.deepEqual(
      answer.resources.map(({ label }) => label),
      ["node", "client"],
    );
    assert.equal(answer.durationNs, 1_500);
  });
});
