import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Backoff } from "./backoff.js";

const settings = { firstBackoffMs: 500, maxBackoffMs: 30_000 };

test("pauses have full jitter below a ceiling that doubles up to its limit", () => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1, maxLength: 40 }), (draws) => {
      let draw = 0;
      const backoff = new Backoff({ ...settings, random: () => draw });
      let nowMs = 1000;
      for (const [index, next] of draws.entries()) {
        draw = next;
        assert.equal(backoff.fail({ startedMs: nowMs, nowMs, orderedMs: undefined }), index === 0);
        const ceilingMs = Math.min(30_000, 500 * 2 ** index);
        assert.ok(Math.abs(backoff.remainingMs(nowMs) - draw * ceilingMs) < 1e-6);
        nowMs += ceilingMs;
      }
      assert.equal(backoff.succeed(), true);
      assert.equal(backoff.succeed(), false);
    }),
  );
});

test("what a receiver asks for is kept, by a request that fails later and by one in a hurry too", () => {
  for (const random of [() => 0, () => 0.999]) {
    const backoff = new Backoff({ ...settings, random });
    backoff.fail({ startedMs: 0, nowMs: 100, orderedMs: 60_000 });
    assert.ok(backoff.remainingMs(100) >= 60_000);
    assert.ok(backoff.remainingMs(100) <= 66_000);
    backoff.fail({ startedMs: 50, nowMs: 200, orderedMs: undefined });
    backoff.hurry(true);
    assert.ok(backoff.remainingMs(60_099) > 0);
    assert.equal(backoff.remainingMs(66_101), 0);
  }
});

test("an order of nothing is no order", () => {
  const backoff = new Backoff({ ...settings, random: () => 0.5 });
  backoff.fail({ startedMs: 0, nowMs: 0, orderedMs: 0 });
  assert.equal(backoff.remainingMs(0), 250);
});

test("in a hurry, the pause of our own ends and the next ones are short", () => {
  const backoff = new Backoff({ ...settings, random: () => 0.999 });
  for (let round = 0; round < 10; round++)
    backoff.fail({ startedMs: round * 40_000, nowMs: round * 40_000, orderedMs: undefined });
  assert.ok(backoff.remainingMs(360_000) > 29_000);
  backoff.hurry(true);
  assert.equal(backoff.remainingMs(360_000), 0);
  backoff.fail({ startedMs: 360_000, nowMs: 360_000, orderedMs: undefined });
  assert.ok(backoff.remainingMs(360_000) <= 500);
});
