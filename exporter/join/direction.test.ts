import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Direction, type Owner } from "./direction.js";

const owner = (number: number): Owner => ({
  span: { number } as unknown as NonNullable<Owner["span"]>,
  source: "http1",
  isResponse: false,
  isPending: false,
});
const numberOf = ({ span }: Owner): number => (span as unknown as { number: number }).number;

/** Byte by byte: the owner of a byte is that of the last range that begins at it or before, in bytes since the first one. */
function naively(ranges: readonly { at: number; number: number }[], at: number, bytes: number): number[] {
  const owners: number[] = [];
  for (let byte = at; byte < at + Math.max(1, bytes); byte++) {
    let last: { at: number; number: number } | undefined;
    for (const range of ranges) if (range.at <= byte && (!last || range.at > last.at)) last = range;
    if (last && owners.at(-1) !== last.number) owners.push(last.number);
  }
  return owners;
}

const anyStart = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  // Sequence numbers start anew soon.
  fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }),
);

test("the owners of any bytes are those that looking at each byte gives, in whatever order ranges are told", () => {
  fc.assert(
    fc.property(
      anyStart,
      fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.integer({ min: -20, max: 500 }), fc.integer({ min: 0, max: 60 })), { maxLength: 30 }),
      (start, places, lookups) => {
        const direction = new Direction();
        const ranges = places.map((at, number) => ({ at, number }));
        for (const { at, number } of ranges) direction.add((start + at) >>> 0, owner(number));
        for (const [at, bytes] of lookups)
          assert.deepEqual(
            direction.find((start + at) >>> 0, bytes).map(numberOf),
            naively(ranges, at, bytes),
            `${bytes} bytes at ${at}`,
          );
      },
    ),
    { numRuns: 1000 },
  );
});

test("a range of several times 4 GiB stays one, as long as its packets are seen", () => {
  const direction = new Direction();
  direction.add(100, owner(1));
  const step = 2 ** 29;
  for (let sent = 0; sent < 40 * step; sent += step) {
    assert.deepEqual(direction.find((100 + sent) % 2 ** 32, 1448).map(numberOf), [1], `after ${sent} bytes`);
    direction.see((100 + sent) % 2 ** 32, 1448);
  }
  direction.add((100 + 40 * step) % 2 ** 32, owner(2));
  assert.deepEqual(direction.find((100 + 40 * step - 1) % 2 ** 32, 2).map(numberOf), [1, 2]);
});

test("what is further away than any window, or after the FIN, is of another connection", () => {
  const direction = new Direction();
  direction.add(1_000, owner(1));
  assert.deepEqual(direction.find(1_000 + 2 ** 30, 1).map(numberOf), [1]);
  assert.deepEqual(direction.find(1_001 + 2 ** 30, 1), []);
  direction.endAt(2_000);
  assert.deepEqual(direction.find(1_999, 1).map(numberOf), [1]);
  assert.deepEqual(direction.find(2_000, 1), []);
});

test("of two that tell of the same byte the first holds, unless it did not know yet", () => {
  const pending: Owner = { span: undefined, source: "http1", isResponse: false, isPending: true };
  const nobody: Owner = { ...pending, isPending: false };
  const direction = new Direction();
  assert.equal(direction.add(5, pending), 1);
  assert.equal(direction.add(5, nobody), 0);
  assert.equal(direction.add(5, owner(1)), 0);
  direction.add(5, owner(2));
  direction.add(5, pending);
  assert.deepEqual(direction.find(5, 1).map(numberOf), [1]);
  assert.equal(direction.size, 1);
});

test("a direction remembers a bounded number of ranges, the newest", () => {
  const direction = new Direction();
  let size = 0;
  for (let at = 0; at < 100_000; at++) size += direction.add((at * 150) >>> 0, owner(at));
  assert.ok(direction.size > 800 && direction.size <= 1_024, `${direction.size} ranges`);
  assert.equal(size, direction.size);
  assert.deepEqual(direction.find(99_999 * 150, 150).map(numberOf), [99_999]);
  assert.deepEqual(direction.find(0, 150), []);
});

test("bytes are sent again when a packet that is sent later carries them", () => {
  const direction = new Direction();
  direction.add(0, owner(1));
  assert.equal(direction.isSentAgain(0, 100, 10n), false);
  assert.equal(direction.isSentAgain(100, 100, 20n), false);
  // Journeys are told of when they end: this one began before the last.
  assert.equal(direction.isSentAgain(50, 50, 15n), false);
  assert.equal(direction.isSentAgain(100, 100, 30n), true);
  assert.equal(direction.isSentAgain(200, 100, 40n), false);
});
