import assert from "node:assert/strict";
import { test } from "node:test";
import type { Context } from "../../exporter/decode/frame.js";
import { findMistake } from "./check-journeys.js";
import type { ExpectedJourney } from "./scenario.js";
import { renderTcpFlags, type SeenJourney } from "./seen-journey.js";

const SYN = 0x02;

function createContext(destinationAddress: string): Context {
  const context: Partial<Context> = {
    transport: 6,
    tcpFlags: SYN,
    sourceAddress: "10.9.1.2",
    sourcePort: 4000,
    destinationAddress,
    destinationPort: 80,
    hasNetwork: true,
    hasTransport: true,
    lengthBytes: 60,
    gsoSegments: 0,
    fragment: 0x4000,
    arpOperation: 0,
    icmpType: 0,
    icmpCode: 0,
  };
  return context as Context;
}

const seen: SeenJourney = {
  functions: ["__tcp_transmit_skb", "ip_output", "ip_rcv", "ip_forward", "ip_output", "tcp_v4_rcv"],
  contexts: [createContext("10.9.96.10"), createContext("10.9.2.2")],
  path: ["a/eth0", "r/va", "r/vb", "b/eth0"],
  end: "dropped",
  dropReason: "NO_SOCKET",
  dropFunction: "tcp_v4_rcv",
  lostHops: 0,
};

const expected: ExpectedJourney = {
  title: "the connection request",
  packet: { transport: "tcp", destination: "10.9.96.10", tcpFlags: "S", isFragment: false },
  functions: ["ip_output", "ip_forward", "ip_output|ip_mc_output", "tcp_v4_rcv"],
  stackFunctions: ["ip_output"],
  path: ["a", "r/vb", "b"],
  destinations: ["10.9.96.10:80", "10.9.2.2:80"],
  end: ["consumed", "dropped"],
  dropReason: "NO_SOCKET",
  dropFunction: ["tcp_v4_rcv"],
};

function mistakeOf(change: Partial<ExpectedJourney>, journeys: readonly SeenJourney[] = [seen]): string {
  return findMistake({ ...expected, ...change }, journeys, false) ?? "";
}

test("a journey as expected is no mistake, among others too", () => {
  assert.equal(mistakeOf({}), "");
  assert.equal(mistakeOf({}, [{ ...seen, end: "expired" }, seen]), "");
});

test("each kind of deviation is named", () => {
  assert.match(mistakeOf({}, []), /no journey of such a packet .* none at all/s);
  assert.match(mistakeOf({ packet: { transport: "udp" } }), /no journey of such a packet/);
  assert.match(mistakeOf({ packet: { tcpFlags: "S." } }), /no journey of such a packet/);
  assert.match(mistakeOf({ packet: { isFragment: true } }), /no journey of such a packet/);
  assert.match(mistakeOf({ functions: ["ip_forward", "ip_rcv"] }), /the function ip_rcv is missing after ip_forward/);
  assert.match(mistakeOf({ functions: ["ip_forward", "ip_output", "ip_output"] }), /ip_output is missing after/);
  assert.match(mistakeOf({ path: ["a", "b"] }), /crosses the namespaces a r b, expected a b/);
  assert.match(mistakeOf({ path: ["a", "r/vx", "b"] }), /does not cross r\/vx/);
  assert.match(mistakeOf({ destinations: ["10.9.96.10:80"] }), /its destination was .*, then 10\.9\.2\.2:80/);
  assert.match(mistakeOf({ end: "delivered" }), /its end is "dropped", expected "delivered"/);
  assert.match(mistakeOf({ dropReason: "IP_INHDR" }), /its drop reason is "NO_SOCKET"/);
  assert.match(mistakeOf({ dropFunction: "ip_rcv" }), /its function that dropped is "tcp_v4_rcv"/);
  assert.match(mistakeOf({}, [{ ...seen, lostHops: 2 }]), /2 hops were lost/);
});

test("of several journeys the closest one is explained", () => {
  const far: SeenJourney = { ...seen, end: "merged", dropReason: "", dropFunction: "", path: ["a/eth0"] };
  assert.match(
    mistakeOf({ dropReason: "IP_INHDR" }, [far, seen]),
    /^its drop reason is "NO_SOCKET", expected "IP_INHDR"\n/,
  );
});

test("TCP flags read as tcpdump writes them", () => {
  assert.deepEqual([0x02, 0x12, 0x10, 0x18, 0x11, 0x14].map(renderTcpFlags), ["S", "S.", ".", "P.", "F.", "R."]);
});
