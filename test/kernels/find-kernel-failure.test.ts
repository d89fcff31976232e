import assert from "node:assert/strict";
import { test } from "node:test";
import { findKernelFailure, isEmulatorFault } from "./find-kernel-failure.js";

test("finds what says that the kernel is not well", () => {
  const lines = [
    "[    9.1] Kernel panic - not syncing: Attempted to kill init!",
    "[    9.1] BUG: kernel NULL pointer dereference, address: 0000000000000008",
    "[    9.1] Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
    "[    9.1] kernel BUG at net/core/skbuff.c:200!",
    "skbspan-guest: cannot mount the results",
  ];
  for (const line of lines) assert.equal(findKernelFailure(`[    1.0] fine\r\n${line}\r\n[    9.2] after\r\n`), line);
});

test("does not blame the kernel for a slow host", () => {
  const log =
    "[   30.1] watchdog: BUG: soft lockup - CPU#0 stuck for 23s!\n[   31.0] rcu: INFO: rcu_preempt detected stalls\n";
  assert.equal(findKernelFailure(log), undefined);
});

test("knows the emulator's own fault", () => {
  assert.ok(isEmulatorFault("[    5.221097] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI"));
  assert.ok(!isEmulatorFault("[    5.221097] Oops: 0002 [#1] PREEMPT SMP NOPTI"));
});
