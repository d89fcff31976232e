import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { findLayer, isKnownFunction } from "./layers.js";

const root = new URL("../../../", import.meta.url);

/** The tracer tells more layers apart than a person wants spans of. */
const layerOfTracer: Readonly<Record<string, string>> = {
  DEVICE: "device",
  GRO: "device",
  TUNNEL: "device",
  QDISC: "qdisc",
  BRIDGE: "bridge",
  NETFILTER: "netfilter",
  CONNTRACK: "netfilter",
  NAT: "netfilter",
  IPV4: "ip",
  IPV6: "ip",
  NEIGHBOUR: "ip",
  ICMP: "ip",
  XFRM: "xfrm",
  TCP: "tcp",
  UDP: "udp",
  SOCKET: "socket",
  LIFECYCLE: "any",
};

test("every function of the core set has the layer that the tracer's table gives it", () => {
  const source = readFileSync(new URL("bpf/tracer/core_functions.c", root), "utf8");
  const rows = [...source.matchAll(/\{ LAYER_(\w+), \{ ([^}]*) \} \}/g)];
  assert.ok(rows.length > 200, `${rows.length} rows were read`);
  const wrong: string[] = [];
  for (const [, layer = "", list = ""] of rows)
    for (const [, name = ""] of list.matchAll(/"(\w+)"/g))
      if (findLayer(name) !== layerOfTracer[layer] || !isKnownFunction(name))
        wrong.push(`${name}: ${findLayer(name)}, in core_functions.c ${layer}`);
  assert.deepEqual(wrong, []);
});

test("every function in the recordings of real kernels has a layer", () => {
  const directory = fileURLToPath(new URL("test/fixtures/recordings/", root));
  const names = new Set<string>();
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".skbspan")))
    for (const { spans } of collectJourneys(readFileSync(`${directory}${file}`)))
      for (const { shape } of spans) if (shape.kind === "hop") names.add(shape.name);
  assert.ok(names.size > 100, `${names.size} names were read`);
  assert.deepEqual(
    [...names].filter((name) => !isKnownFunction(name)),
    [],
  );
});

test("a function that nobody knows counts to the layer around it", () => {
  assert.equal(findLayer("frobnicate"), "any");
  assert.equal(isKnownFunction("frobnicate"), false);
});
