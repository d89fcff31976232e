import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createReporter } from "./create-reporter.js";

function openTerminal(isTTY: boolean) {
  const output = Object.assign(new PassThrough(), { isTTY, columns: 30 });
  return { output, read: () => String(output.read() ?? "") };
}

test("on a terminal the status is one line, written over, below what is said", () => {
  const { output, read } = openTerminal(true);
  const reporter = createReporter(output);
  reporter.setStatus("1 seen");
  assert.equal(read(), "1 seen");
  reporter.setStatus("2 seen, and much more than fits into the line");
  assert.equal(read(), "\r\u001b[K2 seen, and much more than fi");
  reporter.warn("careful");
  assert.equal(read(), "\r\u001b[Kskbspan: warning: careful\n2 seen, and much more than fi");
  reporter.setStatus(undefined);
  assert.equal(read(), "\r\u001b[K");
  reporter.say("done");
  assert.equal(read(), "done\n");
});

test("elsewhere the status is a line every few seconds", () => {
  const { output, read } = openTerminal(false);
  let nowMs = 0;
  const reporter = createReporter(output, () => nowMs);
  reporter.setStatus("1 seen");
  nowMs = 4_999;
  reporter.setStatus("2 seen");
  assert.equal(read(), "");
  nowMs = 5_000;
  reporter.setStatus("3 seen");
  reporter.setStatus("4 seen");
  assert.equal(read(), "skbspan: 3 seen\n");
});
