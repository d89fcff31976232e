import assert from "node:assert/strict";
import { test } from "node:test";
import { readRetryAfterMs } from "./read-retry-after.js";

test("seconds, a date, or nothing that can be read", () => {
  const nowMs = Date.parse("2026-11-27T12:00:00Z");
  assert.equal(readRetryAfterMs("120", nowMs), 120_000);
  assert.equal(readRetryAfterMs(" 0 ", nowMs), 0);
  assert.equal(readRetryAfterMs("Fri, 27 Nov 2026 12:00:30 GMT", nowMs), 30_000);
  assert.equal(readRetryAfterMs("Fri, 27 Nov 2026 11:00:00 GMT", nowMs), 0);
  for (const header of [undefined, "", "soon", "-5s"]) assert.equal(readRetryAfterMs(header, nowMs), undefined, header);
});
