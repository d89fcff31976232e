import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { SpanView } from "../../store/api-types.js";
import { buildMap } from "./build-map.js";
import { buildRows } from "./build-rows.js";
import { buildScale, isMostlyIdle } from "./build-scale.js";
import { formatDuration } from "./format.js";
import { EMPTY_QUERY, formatRoute, parseRoute, type Route } from "./route.js";
import { buildSpanTree, flatten } from "./span-tree.js";

function view(id: string, fields: Partial<SpanView> = {}): SpanView {
  return {
    id,
    parentId: "",
    name: id,
    role: "hop",
    kind: 1,
    startNs: 0,
    durationNs: 100,
    resource: 0,
    scope: "skbspan",
    attributes: {},
    failed: false,
    statusMessage: "",
    events: [],
    links: [],
    ...fields,
  };
}

const root = (attributes: SpanView["attributes"], fields: Partial<SpanView> = {}) =>
  view("root", { role: "journey", durationNs: 1_000, attributes, ...fields });

describe("buildMap", () => {
  it("gives namespaces, interfaces, translation, waits and the end in their order", () => {
    const on = (name: string) => ({ "network.interface.name": name });
    const stations = buildMap([
      root({ "journey.end": "delivered", "process.executable.name": "curl", ...on("eth0") }),
      view("veth_xmit", { parentId: "root", attributes: on("eth0") }),
      view("ip_rcv", {
        parentId: "root",
        resource: 1,
        attributes: { ...on("veth0"), "skb.changed": ["namespace: a -> b"] },
      }),
      view("ip_forward", {
        parentId: "root",
        resource: 1,
        attributes: { ...on("veth0"), "skb.changed": ["destination: 10.96.0.1:80 -> 10.9.2.2:8080"] },
      }),
      view("wait: backlog", { parentId: "root", resource: 1, role: "wait", durationNs: 5 }),
      view("wait: socket receive queue", { parentId: "root", resource: 2, role: "wait", durationNs: 600 }),
      view("tcp_recvmsg", { parentId: "root", resource: 2 }),
    ]);
    const text = stations.map(({ resource, items }) => [
      resource,
      ...items.map((item) =>
        item.kind === "change"
          ? `${item.change.before} to ${item.change.after}`
          : "name" in item
            ? `${item.kind} ${item.name}`
            : item.kind,
      ),
    ]);
    assert.deepEqual(text, [
      [0, "process curl", "interface eth0"],
      [1, "interface veth0", "10.96.0.1:80 to 10.9.2.2:8080", "wait socket receive queue"],
      [2, "end"],
    ]);
  });

  it("marks the drop in the namespace where it was, whoever was seen last", () => {
    const stations = buildMap([
      root({ "journey.end": "dropped", "skb.drop.reason": "NETFILTER_DROP" }, { failed: true }),
      view("nf_hook_slow", {
        parentId: "root",
        resource: 1,
        attributes: { "skb.drop.reason": "NETFILTER_DROP", "skb.drop.location": "nf_hook_slow+0xd3" },
      }),
    ]);
    const last = stations.at(-1)?.items.at(-1);
    assert.deepEqual(last, {
      kind: "drop",
      reason: "NETFILTER_DROP",
      function: "nf_hook_slow",
      isFault: true,
      spanId: "nf_hook_slow",
    });
    assert.equal(stations.at(-1)?.resource, 1);
  });
});

describe("buildScale", () => {
  const spans = fc.array(
    fc.record({ startNs: fc.integer({ min: 0, max: 100_000 }), durationNs: fc.integer({ min: 0, max: 50_000 }) }),
    { minLength: 1, maxLength: 40 },
  );

  it("keeps the order of times, within 0 and 1, shortened or not", () => {
    fc.assert(
      fc.property(spans, fc.boolean(), (shapes, isCompressed) => {
        const scale = buildScale(
          shapes.map((shape, index) => view(String(index), shape)),
          isCompressed,
        );
        const times = shapes
          .flatMap(({ startNs, durationNs }) => [startNs, startNs + durationNs])
          .sort((a, b) => a - b);
        const places = times.map(scale.position);
        assert.deepEqual(
          places,
          [...places].sort((a, b) => a - b),
        );
        assert.ok(places.every((place) => place >= 0 && place <= 1));
        assert.equal(scale.position(scale.endNs), 1);
      }),
    );
  });

  it("shortens a long wait, so that the work can be seen", () => {
    const spans = [
      root({}, { durationNs: 1_000_000 }),
      view("a", { parentId: "root", durationNs: 1_000 }),
      view("b", { parentId: "root", startNs: 999_000, durationNs: 1_000 }),
    ];
    assert.equal(isMostlyIdle(spans), true);
    assert.ok(buildScale(spans, false).position(1_000) < 0.01);
    const scale = buildScale(spans, true);
    assert.ok(scale.position(1_000) > 0.4);
    assert.deepEqual(
      scale.breaks.map(({ durationNs }) => durationNs),
      [998_000],
    );
  });
});

describe("buildRows", () => {
  const laneOf = ({ resource }: SpanView): string => `lane ${resource}`;
  const tree = buildSpanTree([
    view("a"),
    view("b", { parentId: "a" }),
    view("c", { parentId: "b", resource: 1 }),
    view("d", { parentId: "gone" }),
  ]);

  it("nests, starts a lane where the namespace changes, and takes a span without its parent for a root", () => {
    const rows = buildRows(tree, tree.roots, new Set(), laneOf);
    assert.deepEqual(
      rows.map(({ span, depth, startsLane }) => [span.id, depth, startsLane]),
      [
        ["a", 0, true],
        ["b", 1, false],
        ["c", 2, true],
        ["d", 0, true],
      ],
    );
  });

  it("begins no lane with a packet under an application's span, but with the functions that it crosses", () => {
    const request = buildSpanTree([
      view("GET", { role: "application" }),
      view("SYN", { parentId: "GET", role: "journey", resource: 1, startNs: 1 }),
      view("ip_output", { parentId: "SYN", resource: 1, startNs: 1 }),
      view("ACK", { parentId: "GET", role: "journey", startNs: 2 }),
      view("answer", { parentId: "GET", role: "application", resource: 1, startNs: 3 }),
    ]);
    const lanes = (collapsed: string[]): string[] =>
      buildRows(request, request.roots, new Set(collapsed), laneOf).flatMap(({ span, startsLane }) =>
        startsLane ? [span.id] : [],
      );
    assert.deepEqual(lanes(["SYN"]), ["GET", "answer"]);
    assert.deepEqual(lanes([]), ["GET", "ip_output"]);
  });

  it("hides what is under a collapsed row", () => {
    assert.deepEqual(
      buildRows(tree, tree.roots, new Set(["b"]), laneOf).map(({ span }) => span.id),
      ["a", "b", "d"],
    );
  });

  it("does not loop over parents in a circle", () => {
    const circle = buildSpanTree([
      view("x", { parentId: "y" }),
      view("y", { parentId: "x" }),
      view("z", { parentId: "z" }),
    ]);
    assert.deepEqual(
      flatten(circle, circle.roots).map(({ id }) => id),
      ["z"],
    );
  });
});

describe("parseRoute and formatRoute", () => {
  it("are each other's inverse", () => {
    const id = fc.stringMatching(/^[0-9a-f]{16}$/);
    const query = fc
      .record({ end: fc.string(), address: fc.string(), text: fc.string(), path: fc.string() })
      .map((some) => ({ ...EMPTY_QUERY, ...some }));
    const route: fc.Arbitrary<Route> = fc.oneof(
      fc.record({ view: fc.constantFrom("journeys" as const, "paths" as const), query }),
      fc.record({
        view: fc.constant("trace" as const),
        traceId: id,
        journeyId: fc.oneof(id, fc.constant("")),
        spanId: fc.oneof(id, fc.constant("")),
      }),
    );
    fc.assert(fc.property(route, (expected) => assert.deepEqual(parseRoute(formatRoute(expected)), { ...expected })));
  });
});

describe("formatDuration", () => {
  it("gives three digits and a unit", () => {
    const cases = [0, 7, 999, 1_000, 51_040, 999_700, 1_204_000, 15_000_000_000];
    assert.deepEqual(cases.map(formatDuration), [
      "0 ns",
      "7 ns",
      "999 ns",
      "1.00 µs",
      "51.0 µs",
      "1.00 ms",
      "1.20 ms",
      "15.0 s",
    ]);
  });
});
