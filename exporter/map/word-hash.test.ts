import assert from "node:assert/strict";
import { test } from "node:test";
import { WordHash } from "./word-hash.js";

const hash = new WordHash();

function hashOf(...words: readonly number[]): string {
  for (const word of words) hash.add(word);
  return Buffer.from(hash.finish()).toString("hex");
}

test("what was added before does not matter, how many words there are does", () => {
  assert.equal(hashOf(1, 2, 3), hashOf(1, 2, 3));
  const hashes = [hashOf(), hashOf(0), hashOf(0, 0), hashOf(0, 0, 0, 0), hashOf(0, 0, 0, 0, 0)];
  assert.equal(new Set(hashes).size, hashes.length);
});

test("a text is no other text that continues in the next", () => {
  const pair = (first: string, second: string): string => {
    hash.addText(first);
    hash.addText(second);
    return Buffer.from(hash.finish()).toString("hex");
  };
  assert.notEqual(pair("10.0.0.1", "0.0.0.2"), pair("10.0.0.10", ".0.0.2"));
  const long = "x".repeat(1000);
  assert.equal(pair(long, "a"), pair(long, "a"));
  assert.notEqual(pair(long, "a"), pair(long, "b"));
});

test("packets of a flow that differ in one counter have different hashes, in every part of them", () => {
  const parts: readonly Set<string>[] = [new Set(), new Set(), new Set(), new Set()];
  const packets = 50_000;
  for (let number = 0; number < packets; number++) {
    const text = hashOf(0x0a090102, 0x0a090202, 6, number & 0xffff, 40_000, 8080, 1448 * number, 77);
    for (const [index, part] of parts.entries()) part.add(text.slice(8 * index, 8 * index + 8));
  }
  // Of 32 bits by chance, 0.3 pairs of 50,000 are the same.
  for (const part of parts) assert.ok(part.size > packets - 10, `${part.size} of ${packets} differ`);
});

test("each bit that differs changes about half of the hash", () => {
  const words = [0x0a090102, 0x0a090202, 6, 4711, 40_000, 8080, 123_456_789, 77];
  const before = BigInt(`0x${hashOf(...words)}`);
  for (const [index, word] of words.entries())
    for (let bit = 0; bit < 32; bit++) {
      const other = hashOf(...words.with(index, word ^ (1 << bit)));
      const changed = (before ^ BigInt(`0x${other}`)).toString(2).replaceAll("0", "").length;
      assert.ok(changed > 30 && changed < 98, `bit ${bit} of word ${index} changes ${changed} of 128 bits`);
    }
});
