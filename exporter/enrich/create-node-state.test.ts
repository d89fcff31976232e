import assert from "node:assert/strict";
import { test } from "node:test";
import { buildRecording } from "../../test/lib/build-recording.js";
import { createStreamDecoder } from "../decode/create-stream-decoder.js";
import { wire } from "../wire/layout.js";
import { createClockHistory } from "./create-clock-history.js";
import { createNodeState, type NodeState } from "./create-node-state.js";
import { formatAddress } from "./format-address.js";
import type { IdentityResolver } from "./identity.js";

function stateOf(bytes: Uint8Array, resolver?: IdentityResolver): NodeState {
  const state = createNodeState(resolver ? { resolver } : {});
  for (const frame of createStreamDecoder().push(bytes)) state.apply(frame);
  return state;
}

test("numbers get the names that the stream gave", () => {
  const state = stateOf(
    buildRecording()
      .hello({ nodeNetnsInode: 4026531840, hostName: "n1", hostId: "abc" })
      .probe(7, "ip_rcv")
      .dropReason(6, "SKB_DROP_REASON_NETFILTER_DROP")
      .dropReason(1, "SKB_CONSUMED")
      .symbol(0xffff_ffff_8100_00d3n, 0xffff_ffff_8100_0000n, "nf_hook_slow")
      .stats(1n, [5n, 4n])
      .bytes(),
  );
  assert.equal(state.probe(7)?.name, "ip_rcv");
  assert.equal(state.probe(8), undefined);
  assert.equal(state.dropReason(6), "NETFILTER_DROP");
  assert.equal(state.dropReason(1), "CONSUMED");
  assert.equal(state.dropReason(99), "REASON_99");
  assert.equal(state.symbolText(-0x7eff_ff2d), "nf_hook_slow+0xd3");
  assert.equal(state.symbolText(-0x7eff_ff2c), "0xffffffff810000d4");
  assert.equal(state.stats.started, 5);
  assert.equal(state.stats.sent, 4);
  assert.equal(state.stats.lostOutput, 0);
});

test("a namespace is the node's, a named one, or unknown, and one object as long as it is the same", () => {
  const state = stateOf(
    buildRecording()
      .hello({ nodeNetnsInode: 10, hostName: "n1" })
      .namespace(10, "", wire.namespaceNode)
      .namespace(11, "pod-a")
      .bytes(),
  );
  assert.deepEqual(state.identity(10, 1n).attributes, { "service.name": "linux-network", "host.name": "n1" });
  const named = state.identity(11, 5n);
  assert.deepEqual(named.attributes, { "service.name": "pod-a", "netns.inode": 11, "host.name": "n1" });
  assert.equal(state.identity(11, 5n), named);
  assert.equal(state.identity(11, 0n), named);
  assert.equal(state.identity(12, 6n).attributes["service.name"], "unknown-netns");
  assert.equal(state.identity(0, 0n).label, "unknown");
});

test("a resolver is asked again when the inode belongs to another namespace", () => {
  const asked: bigint[] = [];
  const listeners: ((key: bigint | undefined) => void)[] = [];
  const resolver: IdentityResolver = {
    onChange: (listener) => void listeners.push(listener),
    identify(namespace) {
      asked.push(namespace.cookie);
      return { kind: "pod", label: `pod ${namespace.cookie}`, attributes: {} };
    },
  };
  const state = stateOf(buildRecording().hello().bytes(), resolver);
  assert.equal(state.identity(20, 1n).label, "pod 1");
  assert.equal(state.identity(20, 1n).label, "pod 1");
  assert.equal(state.identity(20, 2n).label, "pod 2");
  for (const listener of listeners) listener(2n);
  assert.equal(state.identity(20, 2n).label, "pod 2");
  assert.deepEqual(asked, [1n, 2n, 2n]);
});

test("a time is converted by the pair of clock readings that is nearest to it", () => {
  const clock = createClockHistory();
  clock.add(1000n, 5000n);
  clock.add(2000n, 6000n);
  clock.add(3000n, 57_000n); // somebody set the clock forward
  assert.equal(clock.toRealtimeNs(900n), 4900n);
  assert.equal(clock.toRealtimeNs(2400n), 6400n);
  assert.equal(clock.toRealtimeNs(2600n), 56_600n);
  assert.equal(clock.toRealtimeNs(9000n), 63_000n);
});

test("addresses are printed as the kernel prints them", () => {
  assert.equal(formatAddress(-1), "0xffffffffffffffff");
  assert.equal(formatAddress(Number(BigInt.asIntN(64, 0xffff_8880_04a1_c700n))), "0xffff888004a1c700");
  assert.equal(formatAddress(255), "0x00000000000000ff");
});
