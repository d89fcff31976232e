import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearestName } from "./nearest-name.js";

test("a typing error finds the name that was meant, anything else finds none", () => {
  const names = ["probes", "backend", "netns", "min-duration", "dropped-only", "sample"];
  assert.equal(nearestName("probse", names), "probes");
  assert.equal(nearestName("minduration", names), "min-duration");
  assert.equal(nearestName("dropped", names), "dropped-only");
  assert.equal(nearestName("zebra", names), undefined);
  assert.equal(nearestName("x", names), undefined);
});

test("the distance counts insertions, deletions, substitutions and swaps", () => {
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("abc", ""), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("probse", "probes"), 1);
  assert.equal(editDistance("same", "same"), 0);
});
