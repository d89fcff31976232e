import assert from "node:assert/strict";
import { test } from "node:test";
import { limitProblems } from "./limit-problems.js";

test("a problem is told at once, then once in 30 s with how often it came; others are told besides", () => {
  const told: string[] = [];
  let nowMs = 0;
  const report = limitProblems(
    (text) => told.push(text),
    () => nowMs,
  );
  report("refused 10 spans");
  report("refused 20 spans");
  report("is back");
  nowMs = 29_999;
  report("refused 30 spans");
  nowMs = 30_000;
  report("refused 40 spans");
  assert.deepEqual(told, ["refused 10 spans", "is back", "refused 40 spans (2 times more since it was last told)"]);
});
