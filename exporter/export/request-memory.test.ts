import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestMemory } from "./request-memory.js";

const MIB = 1024 * 1024;

test("memory that was given back is used again, in the length that is asked for", () => {
  const memory = new RequestMemory();
  const first = memory.take(1000);
  first.fill(7);
  memory.giveBack(first);
  const second = memory.take(MIB);
  assert.equal(second.buffer, first.buffer);
  assert.equal(second.length, MIB);
  assert.equal(second.buffer.byteLength, MIB);
  memory.giveBack(second);
  assert.equal(memory.take(10).buffer.byteLength, 10);
});

test("what has not been given back is not used again", () => {
  const memory = new RequestMemory();
  const [first, second] = [memory.take(100), memory.take(100)];
  assert.notEqual(first.buffer, second.buffer);
});

test("an unusually large request has memory of its own, which is not kept", () => {
  const memory = new RequestMemory();
  const large = memory.take(3 * MIB);
  assert.equal(large.buffer.byteLength, 3 * MIB);
  memory.giveBack(large);
  assert.notEqual(memory.take(3 * MIB).buffer, large.buffer);
});

test("only so much is kept as is used again soon", () => {
  const memory = new RequestMemory();
  const taken = Array.from({ length: 20 }, () => memory.take(100));
  for (const bytes of taken) memory.giveBack(bytes);
  const again = new Set(Array.from({ length: 20 }, () => memory.take(100).buffer));
  const known = taken.filter((bytes) => again.has(bytes.buffer));
  assert.equal(known.length, 8);
});

test("Buffer.from and copy, which the official transport uses, read it", () => {
  const bytes = new RequestMemory().take(5);
  bytes.set([1, 2, 3, 4, 5]);
  const shared = Buffer.from(bytes.buffer);
  const copy = Buffer.alloc(6);
  shared.copy(copy, 1);
  assert.deepEqual([...copy], [0, 1, 2, 3, 4, 5]);
});
