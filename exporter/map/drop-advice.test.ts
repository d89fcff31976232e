import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeDrop } from "./drop-advice.js";

test("the same reason can be a fault or none, by the function that dropped", () => {
  assert.equal(judgeDrop("NO_SOCKET", "tcp_v4_rcv").isFault, true);
  assert.equal(judgeDrop("NO_SOCKET", "ping_rcv").isFault, false);
  assert.equal(judgeDrop("NO_SOCKET", "icmpv6_rcv").isFault, false);
});

test("ordinary IPv6 on a kernel that gives no reasons is no fault", () => {
  for (const place of ["icmpv6_rcv", "ip6_mc_input"]) assert.equal(judgeDrop("NOT_SPECIFIED", place).isFault, false);
});

test("an unknown reason, or an unspecified one at an unknown place, is a fault", () => {
  assert.deepEqual(judgeDrop("SOMETHING_NEW", "ip_rcv"), { isFault: true });
  assert.deepEqual(judgeDrop("NOT_SPECIFIED", "ip_rcv"), { isFault: true });
  assert.deepEqual(judgeDrop("NOT_SPECIFIED", ""), { isFault: true });
});

test("multicast that nobody here has joined is no fault, and other packets without a route are", () => {
  for (const group of ["224.0.0.22", "239.255.255.250", "ff02::16"])
    assert.equal(judgeDrop("NOT_SPECIFIED", "ip_rcv_finish_core", group).isFault, false);
  for (const address of ["10.0.0.1", "192.0.2.224", "fe80::1", ""])
    assert.equal(judgeDrop("NOT_SPECIFIED", "ip_rcv_finish_core", address).isFault, true);
});
