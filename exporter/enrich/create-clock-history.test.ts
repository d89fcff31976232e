import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ACK, buildConnection, connectionRealtimeNs, PSH, SYN } from "../../test/lib/build-connection.js";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { createClockHistory } from "./create-clock-history.js";

const SECOND = 1_000_000_000n;
const MS = 1_000_000n;
const start = 77_000n * SECOND;
const epoch = 1_790_000_000n * SECOND;

function distance(left: bigint, right: bigint): bigint {
  return left > right ? left - right : right - left;
}

test("over an hour in which the clocks drift apart no time is off by more than they drift in a second", () => {
  const driftPartsPerMillion = 500n;
  const realtimeOf = (elapsed: bigint): bigint => epoch + elapsed + (elapsed * driftPartsPerMillion) / 1_000_000n;
  const clock = createClockHistory();
  clock.add(start, epoch);
  let worst = 0n;
  for (let second = 1n; second <= 3_600n; second++) {
    const elapsed = second * SECOND;
    clock.add(start + elapsed, realtimeOf(elapsed));
    // A journey is told of after it ended: now, and up to half a minute later.
    for (const before of [0n, 300n * MS, 999n * MS, 30n * SECOND]) {
      if (before > elapsed) continue;
      const error = distance(clock.toRealtimeNs(start + elapsed - before), realtimeOf(elapsed - before));
      if (error > worst) worst = error;
    }
  }
  assert.ok(worst <= MS / 2n, `${worst} ns`);
});

test("a step of the clock moves what came after it, and nothing before", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -86_400n * SECOND, max: 86_400n * SECOND }), (step) => {
      const clock = createClockHistory();
      for (let second = 0n; second < 60n; second++)
        clock.add(start + second * SECOND, epoch + second * SECOND + (second >= 30n ? step : 0n));
      for (let at = 0n; at < 59n * SECOND; at += 700n * MS) {
        // The clock was set somewhere between two readings.
        if (at > 29n * SECOND && at < 30n * SECOND) continue;
        const expected = epoch + at + (at >= 30n * SECOND ? step : 0n);
        assert.equal(clock.toRealtimeNs(start + at), expected);
      }
    }),
  );
});

test("a journey's spans lie where its packet was when the clock is set while it is told of", () => {
  const stepNs = 3_600n * SECOND;
  const recording = buildConnection()
    .clock(0)
    .packet({ atMs: 100, flags: SYN, sequence: 999 })
    .clock(1_000, stepNs)
    .packet({ atMs: 200, flags: PSH | ACK, sequence: 1_000, bytes: 9 })
    .packet({ atMs: 1_200, flags: PSH | ACK, sequence: 1_009, bytes: 9 })
    .bytes();
  assert.deepEqual(
    collectJourneys(recording).map(({ startRealtimeNs }) => startRealtimeNs - connectionRealtimeNs),
    [100n * MS, 200n * MS, 1_200n * MS + stepNs],
  );
});
